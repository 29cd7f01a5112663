//! Colour profiles for tests, as `profiles.py` writes them.

use std::iter;

pub(crate) type Colorants = [[f64; 3]; 3];

pub(crate) const P3: Colorants =
    [[0.51512, 0.24120, -0.00105], [0.29198, 0.69225, 0.04189], [0.15710, 0.06657, 0.78407]];
pub(crate) const ADOBE: Colorants =
    [[0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457]];
pub(crate) const PROPHOTO: Colorants =
    [[0.79767, 0.28804, 0.0], [0.13519, 0.71188, 0.0], [0.03134, 0.00009, 0.82491]];
pub(crate) const SRGB: Colorants =
    [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]];

/// Gamma in steps of 1/256, as profiles have it: 2.2.
pub(crate) const GAMMA_2_2: u16 = 563;
/// 1.8.
pub(crate) const GAMMA_1_8: u16 = 461;

/// A profile of RGB with the curve of sRGB.
pub(crate) fn rgb_with_srgb_curve(colorants: Colorants) -> Vec<u8> {
    let [a, b] = [1.0 / 1.055, 0.055 / 1.055];
    let parameters = fixed(&[2.4, a, b, 1.0 / 12.92, 0.04045]);
    matrix(colorants, &[b"para\0\0\0\0\0\x03\0\0", &parameters[..]].concat())
}

/// A profile of RGB with a gamma.
pub(crate) fn rgb(colorants: Colorants, gamma: u16) -> Vec<u8> {
    matrix(colorants, &curve(gamma))
}

/// A profile of grey with a gamma.
pub(crate) fn grey(gamma: u16) -> Vec<u8> {
    profile(*b"GRAY", &[(b"kTRC", curve(gamma))])
}

/// A profile of inks, which is not applied.
pub(crate) fn cmyk() -> Vec<u8> {
    profile(*b"CMYK", &[])
}

/// A profile of RGB that has its colours in a lookup table of two steps, after a curve of this exponent.
pub(crate) fn lookup_table(colorants: Colorants, exponent: f64) -> Vec<u8> {
    let mut table = b"mft2\0\0\0\0\x03\x03\x02\0".to_vec();
    table.extend(fixed(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]));
    table.extend([1, 0, 0, 2]);
    let curve = (0..256).map(|index| (f64::from(index) / 255.0).powf(exponent) * 65535.0);
    let curve: Vec<u8> = curve.flat_map(|value| (value.round() as u16).to_be_bytes()).collect();
    table.extend(curve.repeat(3));
    for corner in 0..8 {
        let is_set = |primary: usize| corner >> (2 - primary) & 1 == 1;
        let set = || colorants.iter().enumerate().filter(|&(primary, _)| is_set(primary));
        for component in [0, 1, 2] {
            let sum: f64 = set().map(|(_, colorant)| colorant[component]).sum();
            table.extend(((sum * 32768.0).round().max(0.0) as u16).to_be_bytes());
        }
    }
    table.extend([0, 0, 255, 255].repeat(3));
    profile(*b"RGB ", &[(b"A2B0", table)])
}

/// A profile whose lookup tables are all the same bytes, with this many steps per component.
pub(crate) fn shared_lookup_table(steps: u8) -> Vec<u8> {
    let mut table = vec![b'm', b'f', b't', b'2', 0, 0, 0, 0, 3, 3, steps, 0];
    table.extend(fixed(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]));
    table.extend([0, 2, 0, 2]);
    table.extend([0, 0, 255, 255].repeat(3));
    table.extend([60, 7].repeat(usize::from(steps).pow(3) * 3));
    table.extend([0, 0, 255, 255].repeat(3));
    let names = [b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt"];
    let mut file = profile(*b"RGB ", &[(b"A2B0", table)]);
    // The second entry of the table, of 12 bytes, is replaced by one per name; offsets grow by the other six.
    let entry = file[144..156].to_vec();
    file[128..132].copy_from_slice(&8_u32.to_be_bytes());
    let added = 12 * (names.len() as u32 - 1);
    let offset = u32::from_be_bytes(entry[4..8].try_into().unwrap()) + added;
    let white = u32::from_be_bytes(file[136..140].try_into().unwrap()) + added;
    file[136..140].copy_from_slice(&white.to_be_bytes());
    let entries: Vec<u8> = names
        .iter()
        .flat_map(|name| [&name[..], &offset.to_be_bytes(), &entry[8..]].concat())
        .collect();
    file.splice(144..156, entries);
    file
}

/// Splits a profile into segments of a JPEG of at most `part_bytes` each, the last part first.
pub(crate) fn icc_segments(profile: &[u8], part_bytes: usize) -> Vec<Vec<u8>> {
    let parts: Vec<&[u8]> = profile.chunks(part_bytes).collect();
    let count = parts.len() as u8;
    let segment =
        |(number, part): (u8, &&[u8])| [&b"ICC_PROFILE\0"[..], &[number, count], part].concat();
    iter::zip(1..=count, &parts).map(segment).rev().collect()
}

/// The contents of the chunk of a PNG with a profile.
pub(crate) fn compressed(profile: &[u8]) -> Vec<u8> {
    [b"p\0\0", &fdeflate::compress_to_vec(profile)[..]].concat()
}

fn matrix([red, green, blue]: Colorants, curve: &[u8]) -> Vec<u8> {
    profile(
        *b"RGB ",
        &[
            (b"rXYZ", xyz(red)),
            (b"gXYZ", xyz(green)),
            (b"bXYZ", xyz(blue)),
            (b"rTRC", curve.to_vec()),
            (b"gTRC", curve.to_vec()),
            (b"bTRC", curve.to_vec()),
        ],
    )
}

fn profile(space: [u8; 4], tags: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let white = xyz([0.9642, 1.0, 0.8249]);
    let start = 132 + 12 * (tags.len() + 1);
    let (mut table, mut body) = (Vec::new(), Vec::new());
    for (name, content) in iter::once(&(b"wtpt", white)).chain(tags) {
        let place = [start + body.len(), content.len()].map(|value| (value as u32).to_be_bytes());
        table.extend([&name[..], &place.concat()].concat());
        body.extend(content);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut file = ((start + body.len()) as u32).to_be_bytes().to_vec();
    file.extend(
        [&b"none\x02\x40\0\0mntr"[..], &space, b"XYZ ", &[0; 12], b"acsp", &[0; 28]].concat(),
    );
    file.extend(fixed(&[0.9642, 1.0, 0.8249]));
    file.resize(128, 0);
    file.extend((tags.len() as u32 + 1).to_be_bytes());
    [file, table, body].concat()
}

fn curve(gamma: u16) -> Vec<u8> {
    [b"curv\0\0\0\0\0\0\0\x01", &gamma.to_be_bytes()[..]].concat()
}

fn xyz(values: [f64; 3]) -> Vec<u8> {
    [b"XYZ \0\0\0\0", &fixed(&values)[..]].concat()
}

fn fixed(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| ((value * 65536.0).round() as i32).to_be_bytes()).collect()
}
