//! Writes the four profile squares of an image file next to it.
//!
//! `cargo run -p grateful-media --example resize -- face.jpg [x y]`, where x and y are the focus, from 0 to 1.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use grateful_media::{DecodedImage, Focus, Purpose};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("usage: resize FILE [X Y]")?);
    let focus = match (arguments.next(), arguments.next()) {
        (Some(x), Some(y)) => {
            Some(Focus::new(x.parse()?, y.parse()?).ok_or("a focus is from 0 to 1")?)
        }
        _ => None,
    };

    let image = DecodedImage::decode(&fs::read(&path)?, Purpose::Profile)?;
    println!("{} by {}, {:?}", image.width(), image.height(), image.select_square(focus));
    let sizes = image.encode_profile_sizes(focus);

    for (name, file) in [
        ("thumbnail", sizes.thumbnail),
        ("small", sizes.small),
        ("medium", sizes.medium),
        ("large", sizes.large),
    ] {
        let path = path.with_extension(format!("{name}.jpg"));
        println!("{}, {} bytes", path.display(), file.len());
        fs::write(path, file)?;
    }
    Ok(())
}
