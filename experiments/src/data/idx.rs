//! IDX, the format of MNIST, plain or gzipped: two zero bytes, a type byte, the number of
//! dimensions, the sizes as big-endian u32, then the values, big-endian.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::{DataError, Features};
use crate::durable::sha256_hex;

/// The content of an IDX file.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx {
    /// The sizes; the first counts samples.
    pub sizes: Vec<usize>,
    /// The values.
    pub values: Features,
}

/// A file after decompression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its name, for messages.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub digest: String,
}

impl Content {
    /// As [`decompress`].
    ///
    /// # Errors
    /// As [`decompress`].
    pub fn decompress<'a>(name: &str, bytes: impl Into<Cow<'a, [u8]>>) -> Result<Self, DataError> {
        let bytes = decompress(name, bytes)?;
        Ok(Self { name: name.to_owned(), digest: sha256_hex(&bytes), bytes })
    }
}

/// No file of use here is larger, and a gzip file may claim to be.
const LARGEST: u64 = 1 << 31;

/// Decompresses `bytes` if they are gzipped; `name` is for messages.
///
/// # Errors
/// A truncated or damaged gzip file, an HTML page, or more than 2 GiB.
pub fn decompress<'a>(name: &str, bytes: impl Into<Cow<'a, [u8]>>) -> Result<Vec<u8>, DataError> {
    let bytes = bytes.into();
    let again = "download the file again";
    if looks_like_html(&bytes) {
        let fix = "the download gave a page instead of the file (an error, a login): download it again and look at it";
        return Err(DataError::new(name, "is an HTML page, not data", fix));
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        if name.ends_with(".gz") {
            let found =
                bytes.get(..2).map_or("an empty file".to_owned(), |b| format!("{:02x} {:02x}", b[0], b[1]));
            return Err(DataError::new(
                name,
                format!("is not gzip data: it begins with {found}, not 1f 8b"),
                again,
            ));
        }
        return Ok(bytes.into_owned());
    }
    let mut out = Vec::new();
    // All members; what follows the last one and is none is an error.
    let read = MultiGzDecoder::new(&*bytes).take(LARGEST + 1).read_to_end(&mut out);
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(DataError::new(
            name,
            format!("the gzip data end too early, after {} bytes of content", out.len()),
            again,
        )),
        Err(error) => Err(DataError::new(name, format!("the gzip data are damaged: {error}"), again)),
        Ok(_) if out.len() as u64 > LARGEST => {
            Err(DataError::new(name, "holds more than 2 GiB", "cut it into parts"))
        }
        Ok(_) => Ok(out),
    }
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let start: String = bytes
        .iter()
        .take(256)
        .map(|&byte| (byte as char).to_ascii_lowercase())
        .collect::<String>()
        .trim_start()
        .to_owned();
    start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml")
}

/// Reads the content of an IDX file; `name` is for messages.
///
/// # Errors
/// A wrong magic number, an unknown type, or a header that does not agree with the length.
pub fn parse(name: &str, mut content: Vec<u8>) -> Result<Idx, DataError> {
    let fix = "this program reads IDX files (the format of MNIST) of bytes or 16-bit integers: check that it is the right file";
    let [first, second, kind, dimensions, ..] = content[..] else {
        return Err(DataError::new(
            name,
            format!("has {} bytes, too few for an IDX header", content.len()),
            fix,
        ));
    };
    if first != 0 || second != 0 {
        let found: Vec<String> = content[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let reason = format!("is no IDX file: it begins with {}, not 00 00 and a type", found.join(" "));
        return Err(DataError::new(name, reason, fix));
    }
    let width = match kind {
        0x08 => 1,
        0x0b => 2,
        _ => {
            return Err(DataError::new(
                name,
                format!("has values of type {kind:02x}, not 08 (bytes) or 0b (16 bits)"),
                fix,
            ));
        }
    };
    let header = 4 + 4 * usize::from(dimensions);
    if dimensions == 0 || dimensions > 4 || content.len() < header {
        return Err(DataError::new(
            name,
            format!("has a damaged header: {dimensions} dimensions in {} bytes", content.len()),
            fix,
        ));
    }
    let sizes: Vec<usize> = content[4..header]
        .chunks_exact(4)
        .map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize)
        .collect();
    let expected = sizes.iter().try_fold(width, |product: usize, &size| product.checked_mul(size));
    let body = &content[header..];
    if expected != Some(body.len()) {
        let shape: Vec<String> = sizes.iter().map(usize::to_string).collect();
        let reason = format!(
            "header and size disagree: {} values of {width} byte(s) after a header of {header} bytes, but {} bytes follow",
            shape.join(" x "),
            body.len()
        );
        return Err(DataError::new(
            name,
            reason,
            "the file is truncated or not what its header says: fetch it again",
        ));
    }
    let values = match width {
        1 => {
            content.drain(..header);
            Features::U8(Arc::new(content))
        }
        _ => Features::I16(body.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect()),
    };
    Ok(Idx { sizes, values })
}

/// Labels: one dimension of bytes below `classes`, one per sample.
///
/// # Errors
/// Another shape, another number than `samples`, or a label out of range.
pub fn labels(name: &str, idx: Idx, samples: usize, classes: Option<usize>) -> Result<Vec<u32>, DataError> {
    let (Features::U8(values), [count]) = (idx.values, idx.sizes.as_slice()) else {
        return Err(DataError::new(
            name,
            "does not hold labels: expected one dimension of bytes",
            "check the file's name",
        ));
    };
    if *count != samples {
        let reason = format!("has {count} labels for {samples} samples");
        return Err(DataError::new(name, reason, "take both files from the same place and part"));
    }
    let classes = classes.unwrap_or(256);
    match values.iter().position(|&label| usize::from(label) >= classes) {
        Some(at) => {
            let reason = format!(
                "label {} of sample {at} is out of range: there are {classes} classes, 0 to {}",
                values[at],
                classes - 1
            );
            Err(DataError::new(name, reason, "the file is damaged, or `class_names` is too short"))
        }
        None => Ok(values.iter().copied().map(u32::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_samples_of_two_values_are_read() {
        let content = [0, 0, 0x0b, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 255, 255, 1, 0, 128, 0];
        let idx = parse("x", content.to_vec()).unwrap();
        assert_eq!(idx, Idx { sizes: vec![2, 2], values: Features::I16(vec![1, -1, 256, -32768]) });
    }

    #[test]
    fn no_prefix_of_a_file_is_accepted_and_none_panics() {
        let content = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4];
        assert!(parse("x", content.to_vec()).is_ok());
        for length in 0..content.len() {
            assert!(parse("x", content[..length].to_vec()).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn sizes_whose_product_overflows_are_refused() {
        let mut content = vec![0, 0, 8, 4];
        content.extend([255; 16]);
        assert!(parse("x", content).unwrap_err().reason.contains("header and size disagree"));
    }
}
