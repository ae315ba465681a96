//! Pictures: the embedded photograph, PNG and JPEG files, folders of them.

use std::path::{Path, PathBuf};

use super::embedded::TEMPLE;
use super::{DataError, read_file};
use crate::durable::sha256_hex;
use crate::spec::Image;

/// A picture by channel, row, column.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Channels, rows, columns.
    pub shape: [usize; 3],
    /// Row-major; 0 to 255 for a file.
    pub values: Vec<f64>,
    /// SHA-256 of the decoded bytes, row by row, RGB by pixel; of the values' text for an inline picture.
    pub digest: String,
}

/// SHA-256 of the photograph's decoded RGB bytes. Decoders may differ in the last bit from release
/// to release; a result must not.
const TEMPLE_RGB: &str = "6b5365e4dd7d2745aea83cf1e924333d6bd4dce30257ad18629eab30471a2eec";

/// Loads the picture of an experiment.
///
/// # Errors
/// A file that is missing or is no picture; a decoder that gives other bytes for the photograph.
pub fn load(image: &Image) -> Result<Picture, DataError> {
    match image {
        Image::Temple => {
            let picture = from_rgb(decode(TEMPLE.name, TEMPLE.bytes)?.into_rgb8());
            if picture.digest == TEMPLE_RGB {
                return Ok(picture);
            }
            let reason =
                format!("decodes to bytes with the SHA-256 {}, expected {TEMPLE_RGB}", picture.digest);
            Err(DataError::new(TEMPLE.name, reason, "build with the locked versions: cargo build --locked"))
        }
        Image::File(path) => {
            Ok(from_rgb(decode(&path.display().to_string(), &read_file(path)?)?.into_rgb8()))
        }
        Image::Inline { shape, values } => Ok(Picture {
            shape: *shape,
            values: values.clone(),
            digest: sha256_hex(format!("{shape:?}{values:?}").as_bytes()),
        }),
    }
}

fn decode(name: &str, bytes: &[u8]) -> Result<image::DynamicImage, DataError> {
    image::load_from_memory(bytes).map_err(|error| {
        DataError::new(name, format!("cannot be read as a picture: {error}"), "use a PNG or JPEG file")
    })
}

/// From pixels of three bytes to channels.
fn from_rgb(rgb: image::RgbImage) -> Picture {
    let (columns, rows) = (rgb.width() as usize, rgb.height() as usize);
    let bytes = rgb.into_raw();
    let values = (0..3).flat_map(|c| bytes.iter().skip(c).step_by(3).map(|&byte| f64::from(byte))).collect();
    Picture { shape: [3, rows, columns], values, digest: sha256_hex(&bytes) }
}

/// Pictures of one size, one folder per class.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) shape: [usize; 3],
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<u32>,
    pub(super) classes: Vec<String>,
}

/// Reads `<folder>/<class>/<picture>`, classes and pictures by name.
pub(super) fn read_folder(folder: &Path, channels: usize) -> Result<Folder, DataError> {
    let name = folder.display().to_string();
    let class_folders: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    if class_folders.is_empty() {
        return Err(DataError::new(
            name,
            "holds no folders",
            "make one folder per class and put its pictures inside",
        ));
    }
    let mut found = Folder { shape: [0; 3], pixels: Vec::new(), labels: Vec::new(), classes: Vec::new() };
    for class in class_folders {
        let label = found.classes.len() as u32;
        found.classes.push(class.file_name().unwrap_or_default().to_string_lossy().into_owned());
        let pictures = entries(&class)?;
        if pictures.is_empty() {
            let name = class.display().to_string();
            return Err(DataError::new(
                name,
                "holds no pictures",
                "put PNG or JPEG files into it, or remove it",
            ));
        }
        for path in pictures {
            let picture = path.display().to_string();
            let decoded = decode(&picture, &read_file(&path)?)?;
            let shape = [channels, decoded.height() as usize, decoded.width() as usize];
            if found.labels.is_empty() {
                found.shape = shape;
            } else if found.shape != shape {
                let [_, rows, columns] = found.shape;
                let reason = format!(
                    "has {} x {} pixels, the first picture has {rows} x {columns}",
                    shape[1], shape[2]
                );
                return Err(DataError::new(picture, reason, "bring all pictures to one size"));
            }
            match channels {
                1 => found.pixels.extend(decoded.into_luma8().into_raw()),
                _ => {
                    let bytes = decoded.into_rgb8().into_raw();
                    found.pixels.extend((0..3).flat_map(|c| bytes.iter().skip(c).step_by(3)));
                }
            }
            found.labels.push(label);
        }
    }
    Ok(found)
}

/// What a folder holds, by name, without hidden files.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |error: std::io::Error| {
        DataError::new(folder.display().to_string(), error.to_string(), "check the path")
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
