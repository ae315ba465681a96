//! Small pictures side by side as a PNG: first-layer filters, feature maps, mistakes, filtered images.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::PlotError;
use super::lettering::{self, ADVANCE, HEIGHT};
use super::trials::Table;

/// A picture and the text under it. Values are channel first, then rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    label: String,
    channels: usize,
    height: usize,
    width: usize,
    values: Vec<f64>,
}

/// How values become shades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Each picture from its lowest value (dark) to its highest (light); three channels as colours.
    Image,
    /// Weights: blue below zero, white at zero, orange above, on one scale for all pictures.
    Signed,
}

/// Pixels between pictures and around them.
const GAP: u32 = 12;
/// Larger pictures are shrunk to this width or height, in their own pixels.
const LARGEST: usize = 240;
/// The sheet is about this wide, in pixels.
const SHEET: u32 = 1100;
/// The height of a line of text.
const LINE: u32 = LETTER * HEIGHT + 2;
/// Pixels of the sheet for each pixel of a letter.
const LETTER: u32 = 2;

/// From the header and the records of a file of pictures; rows that are no picture are left out.
pub(super) fn read((_, records): Table) -> Vec<Picture> {
    let picture = |record: &Vec<String>| {
        let [label, channels, height, width, values] = &record[..] else { return None };
        let picture = Picture {
            label: label.clone(),
            channels: channels.parse().ok()?,
            height: height.parse().ok()?,
            width: width.parse().ok()?,
            values: values.split_whitespace().map(|v| v.parse().unwrap_or(0.0)).collect(),
        };
        let size = picture.channels * picture.height * picture.width;
        (size > 0 && size == picture.values.len()).then_some(picture)
    };
    records.iter().filter_map(picture).map(Picture::shrunk).collect()
}

impl Picture {
    /// This picture with another text under it; what went in keeps its name.
    pub(super) fn called(self, label: &str) -> Self {
        if label.is_empty() || self.label == "input" {
            self
        } else {
            Self { label: label.to_owned(), ..self }
        }
    }

    /// A large picture by the means of its square blocks; what is left over at the edges is cut off.
    fn shrunk(self) -> Self {
        let block = self.width.max(self.height).div_ceil(LARGEST);
        if block == 1 {
            return self;
        }
        let (height, width) = (self.height / block, self.width / block);
        let mut values = Vec::with_capacity(self.channels * height * width);
        for channel in self.values.chunks_exact(self.height * self.width) {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let rows = (y * block..(y + 1) * block)
                    .map(|row| &channel[row * self.width..][x * block..][..block]);
                let sum = rows.flatten().fold(0.0, |sum, value| sum + value);
                values.push(sum / (block * block) as f64);
            }
        }
        Self { height, width, values, ..self }
    }
}

/// The sheet as PNG bytes; `None` without pictures.
pub(super) fn sheet(pictures: &[Picture], tone: Tone) -> Result<Option<Vec<u8>>, PlotError> {
    let tiles: Vec<Tile> = pictures.iter().flat_map(|picture| Tile::of(picture, tone)).collect();
    let Some(grid) = Grid::of(&tiles) else { return Ok(None) };
    let legend = if tone == Tone::Signed { LINE + GAP } else { 0 };
    let mut image = RgbImage::from_pixel(grid.width(), grid.height() + legend, Rgb([255; 3]));
    let largest = tiles.iter().flat_map(|tile| tile.values).fold(0.0, |m: f64, v| m.max(v.abs()));
    for (index, tile) in tiles.iter().enumerate() {
        let (left, top) = grid.corner(index);
        tile.paint(&mut image, (left, top), grid.zoom, tone, largest);
        let below = top + tile.height as u32 * grid.zoom + 5;
        for (line, text) in tile.lines(grid.letters()).iter().enumerate() {
            write(&mut image, text, (left, below + line as u32 * LINE));
        }
    }
    if tone == Tone::Signed {
        write(&mut image, "blue: negative, white: 0, orange: positive", (GAP, grid.height()));
    }
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).map_err(|error| PlotError::Drawing(error.to_string()))?;
    Ok(Some(bytes.into_inner()))
}

/// One drawn rectangle: a grey, signed or coloured picture.
struct Tile<'a> {
    label: String,
    height: usize,
    width: usize,
    /// One or three planes.
    values: &'a [f64],
}

impl<'a> Tile<'a> {
    /// A picture as it is, or one tile per channel where channels are no colours.
    fn of(picture: &'a Picture, tone: Tone) -> Vec<Self> {
        let Picture { label, channels, height, width, values } = picture;
        let plane = height * width;
        if *channels == 1 || (*channels == 3 && tone == Tone::Image) {
            return vec![Tile { label: label.clone(), height: *height, width: *width, values }];
        }
        let tile = |(channel, values)| Tile {
            label: format!("{label}, {channel}"),
            height: *height,
            width: *width,
            values,
        };
        values.chunks_exact(plane).enumerate().map(tile).collect()
    }

    /// The label in at most two lines of so many letters, broken at a space.
    fn lines(&self, letters: usize) -> Vec<String> {
        let cut = |text: &str| text.chars().take(letters).collect::<String>();
        if self.label.chars().count() <= letters {
            return vec![self.label.clone()];
        }
        match self.label.split_once(' ') {
            Some((first, rest)) => vec![cut(first), cut(rest)],
            None => vec![cut(&self.label)],
        }
    }

    fn paint(&self, image: &mut RgbImage, (left, top): (u32, u32), zoom: u32, tone: Tone, largest: f64) {
        let plane = self.height * self.width;
        let colours = self.values.len() == 3 * plane;
        let (low, high) = self
            .values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
        let range = if high > low { high - low } else { 1.0 };
        for y in 0..self.height as u32 * zoom {
            for x in 0..self.width as u32 * zoom {
                let at = (y / zoom) as usize * self.width + (x / zoom) as usize;
                let pixel = match tone {
                    Tone::Signed => signed(self.values[at], largest),
                    Tone::Image => {
                        let shade = |value: f64| (255.0 * (value - low) / range).round() as u8;
                        let channel =
                            |c: usize| shade(self.values[if colours { c * plane + at } else { at }]);
                        Rgb([channel(0), channel(1), channel(2)])
                    }
                };
                image.put_pixel(left + x, top + y, pixel);
            }
        }
    }
}

/// Writes a line of text from its upper left corner; what would leave the sheet is cut off.
fn write(image: &mut RgbImage, text: &str, (left, top): (u32, u32)) {
    lettering::ink(text, |x, y| {
        for (dx, dy) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (x, y) = (left + LETTER * x + dx, top + LETTER * y + dy);
            if x < image.width() && y < image.height() {
                image.put_pixel(x, y, Rgb([0x33; 3]));
            }
        }
    });
}

/// Blue below zero, white at zero, orange above.
fn signed(value: f64, largest: f64) -> Rgb<u8> {
    let share = if largest > 0.0 { value / largest } else { 0.0 };
    let end: [f64; 3] = if share < 0.0 { [0.0, 90.0, 160.0] } else { [200.0, 80.0, 0.0] };
    Rgb(end.map(|to| (255.0 + share.abs() * (to - 255.0)).round() as u8))
}

/// Where tiles stand on the sheet.
struct Grid {
    columns: u32,
    rows: u32,
    /// A tile's share of the sheet, with its text and without the gap.
    cell: (u32, u32),
    /// Pixels of the sheet for each pixel of a picture.
    zoom: u32,
}

impl Grid {
    fn of(tiles: &[Tile]) -> Option<Self> {
        let height = tiles.iter().map(|tile| tile.height).max()? as u32;
        let width = tiles.iter().map(|tile| tile.width).max()? as u32;
        let wished = (tiles.len() as f64).sqrt().ceil() as u32;
        let zoom = (SHEET / wished / width).clamp(1, (112 / width).max(1));
        let longest = tiles.iter().map(|tile| tile.label.chars().count()).max()? as u32;
        let widest = (width * zoom).max((longest * LETTER * ADVANCE).min(130));
        let letters = (widest / (LETTER * ADVANCE)) as usize;
        let lines = tiles.iter().map(|tile| tile.lines(letters).len()).max()? as u32;
        let text = if longest > 0 { lines * LINE } else { 0 };
        let cell = (widest, height * zoom + text);
        let columns = (SHEET / (cell.0 + GAP)).clamp(1, tiles.len() as u32);
        Some(Self { columns, rows: (tiles.len() as u32).div_ceil(columns), cell, zoom })
    }

    /// How many letters fit below a tile.
    fn letters(&self) -> usize {
        (self.cell.0 / (LETTER * ADVANCE)) as usize
    }

    fn corner(&self, index: usize) -> (u32, u32) {
        let (column, row) = (index as u32 % self.columns, index as u32 / self.columns);
        (GAP + column * (self.cell.0 + GAP), GAP + row * (self.cell.1 + GAP))
    }

    fn width(&self) -> u32 {
        GAP + self.columns * (self.cell.0 + GAP)
    }

    fn height(&self) -> u32 {
        GAP + self.rows * (self.cell.1 + GAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 5]]) -> Table {
        (Vec::new(), rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect())
    }

    #[test]
    fn a_row_with_too_few_values_is_no_picture() {
        let pictures = read(table(&[["a", "1", "2", "2", "0 1 2 3"], ["b", "1", "2", "2", "0 1 2"]]));
        assert_eq!(pictures.len(), 1);
        assert_eq!(pictures[0].values, [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_large_picture_is_shrunk_by_means() {
        let values: Vec<f64> = (0..480 * 2).map(|i| f64::from(i % 2)).collect();
        let large = Picture { label: "x".into(), channels: 1, height: 2, width: 480, values };
        let small = large.shrunk();
        assert_eq!((small.height, small.width), (1, 240));
        assert!(small.values.iter().all(|&value| value == 0.5));
    }

    #[test]
    fn a_sheet_is_a_png_and_the_same_bytes_every_time() {
        let pictures = read(table(&[["3 > 5", "1", "2", "2", "0 1 2 3"], ["rgb", "3", "1", "1", "9 5 1"]]));
        for tone in [Tone::Image, Tone::Signed] {
            let bytes = sheet(&pictures, tone).unwrap().unwrap();
            assert_eq!(bytes[1..4], *b"PNG");
            assert_eq!(sheet(&pictures, tone).unwrap().unwrap(), bytes);
        }
        assert_eq!(sheet(&[], Tone::Image).unwrap(), None);
    }

    #[test]
    fn zero_is_white_and_the_signs_differ() {
        assert_eq!(signed(0.0, 2.0), Rgb([255, 255, 255]));
        assert_eq!(signed(-2.0, 2.0), Rgb([0, 90, 160]));
        assert_eq!(signed(2.0, 2.0), Rgb([200, 80, 0]));
    }
}
