//! Pictures as rows of a CSV file: filters, feature maps, mistakes, filtered images.

use std::fmt::{Debug, Write};

use crate::kinds::csv_field;

/// Pictures on their way to a file; the values are channel first, then rows.
#[derive(Debug)]
pub(in crate::kinds) struct Pictures {
    text: String,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { text: "label,channels,height,width,values\n".to_owned() }
    }
}

impl Pictures {
    /// Adds a picture of channels, rows and columns.
    pub(in crate::kinds) fn push<V: Debug>(&mut self, label: &str, shape: [usize; 3], values: &[V]) {
        let [channels, height, width] = shape;
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{},{channels},{height},{width},", csv_field(label));
        for (i, value) in values.iter().enumerate() {
            let _ = write!(self.text, "{}{value:?}", if i > 0 { " " } else { "" });
        }
        self.text.push('\n');
    }

    pub(in crate::kinds) fn into_csv(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}
