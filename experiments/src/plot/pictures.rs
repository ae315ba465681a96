//! Which pictures an experiment gets, and writing them.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::boundary::{self, Plane};
use super::confusion::{self, Counts};
use super::mosaic::{self, Tone};
use super::read::{self, CellOf, Rows};
use super::trials::Trials;
use super::{PlotError, Shown, Subject, activations, curves, family, gradient, ladder, names, sweep};
use crate::spec::Experiment;

/// Pictures that need a panel or a file per cell stop here.
const MOST_CELLS: usize = 6;
/// Sheets of small pictures are large files: so many cells, and so many mistakes of each.
const MOST_SHEETS: usize = 3;
const MOST_MISTAKES: usize = 24;

/// The kinds of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Picture {
    Curves,
    Sweep,
    Families,
    Gradient,
    Activations,
    Ladder,
    Confusion,
    Boundary,
    Mosaic(&'static str),
}

/// A picture file: its name and its bytes.
type File = (String, Vec<u8>);

/// Draws every picture of an experiment from its results folder and writes it there.
///
/// The experiment's `[[plot]]` tables say which; without any, those that its kind and the files allow.
/// Pictures of files that are not there are left out.
///
/// # Errors
/// If `results.csv` is missing or a file cannot be read or written.
pub fn write_all(folder: &Path, experiment: &Experiment) -> Result<Vec<PathBuf>, PlotError> {
    let source = Source::read(folder, Subject::of(experiment))?;
    let mut files: Vec<File> = Vec::new();
    if experiment.plots.is_empty() {
        for &picture in usual(experiment.kind) {
            files.extend(source.draw(picture, &Shown::default())?);
        }
    }
    for spec in &experiment.plots {
        let titled = Subject::of(experiment);
        let title = if spec.title.is_empty() { titled.title } else { spec.title.clone() };
        let source = Source::read(folder, Subject { title, ..titled })?;
        for (name, bytes) in source.draw(of_spec(&spec.kind, experiment.kind), &Shown::of(spec))? {
            files.push((free_name(&files, &name), bytes));
        }
    }
    write(folder, files)
}

/// Draws chosen metrics only, each as `curves-<metric>.svg` and `sweep-<metric>.svg`, whichever exist.
///
/// # Errors
/// As [`write_all`]; and if the results hold no metric of that name.
pub fn write_figures(
    folder: &Path,
    experiment: &Experiment,
    metrics: &[String],
    log: bool,
) -> Result<Vec<PathBuf>, PlotError> {
    let source = Source::read(folder, Subject::of(experiment))?;
    let mut files: Vec<File> = Vec::new();
    for metric in metrics {
        let shown = Shown { figures: vec![metric.clone()], log_y: log, ..Shown::default() };
        let known = source.known();
        if !known.contains(metric) {
            return Err(PlotError::Metric { name: metric.clone(), known });
        }
        let has = |rows: &Rows| rows.figure(metric).is_some();
        let mut drawn = Vec::new();
        if source.curves.as_ref().is_some_and(has) {
            drawn.extend(source.draw(Picture::Curves, &shown)?);
        }
        if has(&source.results) {
            drawn.extend(source.draw(Picture::Sweep, &shown)?);
        }
        files.extend(
            drawn.into_iter().map(|(name, bytes)| (name.replace(".svg", &format!("-{metric}.svg")), bytes)),
        );
    }
    write(folder, files)
}

/// What a kind shows if its file does not say.
fn usual(kind: &str) -> &'static [Picture] {
    match kind {
        "gradient-check" => &[Picture::Gradient],
        "activations" => &[Picture::Activations],
        "kernels" => &[Picture::Ladder],
        "convolve" => &[Picture::Mosaic("images")],
        _ => &[
            Picture::Curves,
            Picture::Sweep,
            Picture::Families,
            Picture::Confusion,
            Picture::Boundary,
            Picture::Mosaic("filters"),
            Picture::Mosaic("feature-maps"),
            Picture::Mosaic("mistakes"),
        ],
    }
}

/// The picture that a `[[plot]]` table asks for.
fn of_spec(plot: &str, kind: &str) -> Picture {
    match (plot, kind) {
        ("curve", "gradient-check") => Picture::Gradient,
        ("curve", "activations") => Picture::Activations,
        ("bars", "kernels") => Picture::Ladder,
        ("bars", _) => Picture::Sweep,
        ("confusion", _) => Picture::Confusion,
        ("boundary", _) => Picture::Boundary,
        ("filters", _) => Picture::Mosaic("filters"),
        ("feature-maps", _) => Picture::Mosaic("feature-maps"),
        ("mistakes", _) => Picture::Mosaic("mistakes"),
        ("images", _) => Picture::Mosaic("images"),
        _ => Picture::Curves,
    }
}

/// `name`, or `name` with the first number that makes it new.
fn free_name(files: &[File], name: &str) -> String {
    let taken = |wanted: &str| files.iter().any(|(known, _)| known == wanted);
    let (stem, suffix) = name.rsplit_once('.').unwrap_or((name, ""));
    let numbered = (2..).map(|number| format!("{stem}-{number}.{suffix}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// Writes what differs from what stands there.
fn write(folder: &Path, files: Vec<File>) -> Result<Vec<PathBuf>, PlotError> {
    let mut paths = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        if fs::read(&path).ok().as_ref() != Some(&bytes) {
            fs::write(&path, bytes)?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// What pictures are drawn from.
struct Source {
    subject: Subject,
    results: Rows,
    curves: Option<Rows>,
    trials: Trials,
}

impl Source {
    fn read(folder: &Path, subject: Subject) -> Result<Self, PlotError> {
        let results = read::results(folder)?;
        let curves = read::curves(folder, results.keys.len())?;
        let mut trials = Trials::of(folder)?;
        let pooled = results.clone().pooled(&subject.pool);
        for (row, pooled) in results.rows.iter().zip(&pooled.rows) {
            trials.count_as(&row.cell, &pooled.cell);
        }
        let curves = curves.map(|curves| curves.pooled(&subject.pool));
        Ok(Self { subject, results: pooled, curves, trials })
    }

    /// Every metric and curve column.
    fn known(&self) -> Vec<String> {
        let mut known = self.results.figures.clone();
        for column in self.curves.iter().flat_map(|curves| &curves.figures[1..]) {
            if !known.contains(column) {
                known.push(column.clone());
            }
        }
        known
    }

    /// The files of a picture; none if what it shows is not there.
    fn draw(&self, picture: Picture, shown: &Shown) -> Result<Vec<File>, PlotError> {
        let subject = &self.subject;
        let (name, figure) = match picture {
            Picture::Mosaic(file) => return self.mosaics(file),
            Picture::Families => return self.families(),
            Picture::Confusion => ("confusion", self.confusion()?),
            Picture::Boundary => ("boundary", self.boundary()?),
            Picture::Sweep => ("sweep", sweep::figure(subject, &self.results, shown)),
            Picture::Ladder => ("ladder", ladder::figure(subject, &self.results)),
            Picture::Curves => {
                ("curves", self.curves.as_ref().and_then(|c| curves::figure(subject, c, shown)))
            }
            Picture::Gradient => {
                ("gradient-check", self.curves.as_ref().map(|c| gradient::figure(subject, c)))
            }
            Picture::Activations => {
                ("activations", self.curves.as_ref().map(|c| activations::figure(subject, c)))
            }
        };
        match figure {
            Some(figure) => Ok(vec![(format!("{name}.svg"), figure.svg()?.into_bytes())]),
            None => Ok(Vec::new()),
        }
    }

    fn families(&self) -> Result<Vec<File>, PlotError> {
        let mut files = Vec::new();
        for (stem, figure) in family::figures(&self.subject, &self.results) {
            let name = format!("{}.svg", stem.replace(['.', '_'], "-"));
            files.push((name, figure.svg()?.into_bytes()));
        }
        Ok(files)
    }

    /// The cells with the names that they have in a figure.
    fn named_cells(&self) -> Vec<(CellOf, String)> {
        let cells = self.results.cells();
        let names = names::cells(&self.results, &cells);
        cells.into_iter().zip(names).collect()
    }

    fn confusion(&self) -> Result<Option<super::figure::Figure>, PlotError> {
        let mut cells = Vec::new();
        for (cell, name) in self.named_cells().into_iter().take(MOST_CELLS) {
            let mut trials = self.trials.tables(&cell.cell, "confusion.csv")?.into_iter().map(Counts::read);
            if let Some(mut counts) = trials.next() {
                let mut seeds = 1;
                for other in trials {
                    counts.add(&other);
                    seeds += 1;
                }
                cells.push((name, counts, seeds));
            }
        }
        Ok((!cells.is_empty()).then(|| confusion::figure(&self.subject, &cells)))
    }

    fn boundary(&self) -> Result<Option<super::figure::Figure>, PlotError> {
        let mut cells = Vec::new();
        for (cell, name) in self.named_cells().into_iter().take(MOST_CELLS) {
            let first = self.trials.tables(&cell.cell, "boundary.csv")?.into_iter().next();
            cells.extend(first.and_then(Plane::read).map(|plane| (name, plane)));
        }
        Ok((!cells.is_empty()).then(|| boundary::figure(&self.subject, &cells)))
    }

    /// A sheet per cell; filtered images of all cells stand on one.
    fn mosaics(&self, file: &str) -> Result<Vec<File>, PlotError> {
        let tone = if file == "filters" { Tone::Signed } else { Tone::Image };
        let mut sheets = Vec::new();
        for (cell, name) in self.named_cells() {
            let first = self.trials.tables(&cell.cell, &format!("{file}.csv"))?.into_iter().next();
            sheets.extend(first.map(|table| (cell.cell, name, mosaic::read(table))));
        }
        if file == "images" {
            let image = mosaic::sheet(&side_by_side(sheets), tone)?;
            return Ok(image.map(|bytes| (format!("{file}.png"), bytes)).into_iter().collect());
        }
        let several = sheets.len() > 1;
        let mut files = Vec::new();
        for (cell, _, mut pictures) in sheets.into_iter().take(MOST_SHEETS) {
            if file == "mistakes" {
                pictures.truncate(MOST_MISTAKES);
            }
            let name = if several { format!("{file}-cell-{cell}.png") } else { format!("{file}.png") };
            files.extend(mosaic::sheet(&pictures, tone)?.map(|bytes| (name, bytes)));
        }
        Ok(files)
    }
}

/// The pictures of all cells under the cells' names, each once.
fn side_by_side(sheets: Vec<(String, String, Vec<mosaic::Picture>)>) -> Vec<mosaic::Picture> {
    let mut all = Vec::new();
    for (_, name, pictures) in sheets {
        for picture in pictures.into_iter().map(|picture| picture.called(&name)) {
            if !all.contains(&picture) {
                all.push(picture);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_picture_of_a_kind_gets_a_number() {
        let files = vec![("curves.svg".to_owned(), Vec::new()), ("curves-2.svg".to_owned(), Vec::new())];
        assert_eq!(free_name(&files, "curves.svg"), "curves-3.svg");
        assert_eq!(free_name(&files, "sweep.svg"), "sweep.svg");
    }
}
