//! The files of the older uploads.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use grateful_application::App;
use grateful_application::adopted_files::{Adoption, adopt_image, adopt_photo};
use grateful_application::image_files::PhotoSize;
use grateful_domain::{ImageUrl, ProfilePhoto};
use grateful_import::{NamedFiles, PictureFault, Pictures};
use uuid::Uuid;

use super::reporter::Reporter;

/// Brings the named files into the store, or only checks them.
pub(super) async fn bring(
    app: &App,
    folder: &Path,
    named: &NamedFiles,
    dry_run: bool,
    reporter: &Reporter,
) -> anyhow::Result<Pictures> {
    let adoption = if dry_run { Adoption::Check } else { Adoption::Store };
    reporter.step("pictures", (named.images.len() + named.photos.len()) as u64);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let images = stream::iter(&named.images)
        .map(async |name| {
            let image = image(app, folder, name, adoption).await?;
            reporter.advance(1);
            Ok::<_, anyhow::Error>((name.clone(), image))
        })
        .buffer_unordered(cores)
        .try_collect()
        .await?;
    let mut pictures = Pictures { images, ..Pictures::default() };
    for name in &named.photos {
        let Some(files) = photo_files(folder, name)? else { continue };
        if adoption == Adoption::Store {
            adopt_photo(app, &ProfilePhoto::from_stored(name.clone()), files).await?;
        }
        reporter.advance(1);
        pictures.photos.insert(name.clone());
    }
    Ok(pictures)
}

/// The new name is derived from the older one, so that an import that is run again finds what it has stored.
async fn image(
    app: &App,
    folder: &Path,
    name: &str,
    adoption: Adoption,
) -> anyhow::Result<Result<ImageUrl, PictureFault>> {
    let path = folder.join("posts").join(name);
    let Some(bytes) = read(&path)? else { return Ok(Err(PictureFault::Missing)) };
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("picture {name}").as_bytes());
    let adopted = adopt_image(app, id, bytes, adoption).await;
    let adopted = adopted.with_context(|| format!("{} cannot be brought over", path.display()))?;
    Ok(adopted.ok_or(PictureFault::NoPicture))
}

/// The files of a photo, by their sizes.
type PhotoFiles = Vec<(PhotoSize, Vec<u8>)>;

/// All sizes of a photo. `None` if one is missing.
fn photo_files(folder: &Path, name: &str) -> anyhow::Result<Option<PhotoFiles>> {
    let mut files = Vec::new();
    for size in PhotoSize::ALL {
        let Some(bytes) = read(&photo_path(folder, name, size))? else { return Ok(None) };
        files.push((size, bytes));
    }
    Ok(Some(files))
}

fn photo_path(folder: &Path, name: &str, size: PhotoSize) -> PathBuf {
    folder.join("profile_photos").join(format!("{name}_{}.jpg", size.code()))
}

/// The content of a file. `None` if there is none: a link is not followed, since it may lead out of the folder.
fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let unreadable = || format!("{} cannot be read", path.display());
    match fs::symlink_metadata(path) {
        Ok(file) if file.is_file() => Ok(Some(fs::read(path).with_context(unreadable)?)),
        Ok(_) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).with_context(unreadable),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), InvalidFilename | InvalidInput | NotADirectory | NotFound)
}

/// Fails before anything is written if the files surely do not fit: ours are about as large as the older ones.
pub(super) fn check_space(folder: &Path, named: &NamedFiles, target: &Path) -> anyhow::Result<()> {
    let images = named.images.iter().map(|name| folder.join("posts").join(name));
    let sizes = named.photos.iter().flat_map(|name| {
        PhotoSize::ALL.into_iter().map(move |size| photo_path(folder, name, size))
    });
    let size = |path: PathBuf| fs::symlink_metadata(path).map_or(0, |file| file.len());
    let needed: u64 = images.chain(sizes).map(size).sum();
    fs::create_dir_all(target)
        .with_context(|| format!("the uploads directory {} cannot be used", target.display()))?;
    let disk = rustix::fs::statvfs(target)
        .with_context(|| format!("the free space at {} is unknown", target.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    ensure!(
        needed <= free,
        "the pictures need about {} MB, and {} has {} MB free: nothing was imported",
        needed >> 20,
        target.display(),
        free >> 20
    );
    Ok(())
}
