//! From a [`DatasetSpec`] to [`Data`]: read, keep what is asked for, split.

use std::path::Path;
use std::sync::Arc;

use super::catalogue::{self, Set, Store};
use super::idx::Content;
use super::table::{Table, repeated};
use super::{Data, DataError, Features, Targets, full, idx, picture, read_file, split, synthetic};
use crate::command;
use crate::diagnostics::did_you_mean;
use crate::durable::sha256_hex;
use crate::spec::{DatasetSpec, Function, Source};

/// All samples before anything is left out.
struct Whole {
    name: String,
    shape: Vec<usize>,
    features: Features,
    feature_names: Vec<String>,
    targets: Targets,
    /// Samples from here on are the set's own test part.
    test_from: usize,
    digests: Vec<(String, String)>,
}

/// Loads the data, keeps what is asked for and splits them. Synthetic data without a seed of their
/// own need [`DatasetSpec::for_seed`] first; else they are drawn from seed 1.
///
/// # Errors
/// [`DataError`] with the file, the reason and the remedy.
pub fn load(spec: &DatasetSpec) -> Result<Data, DataError> {
    let whole = read(spec)?;
    let samples = chosen(spec, &whole)?;
    let given_test: Vec<u32> = (whole.test_from as u32..whole.targets.len() as u32).collect();
    let parts = split::split(spec, &whole.name, &samples, &given_test)?;
    let targets = match (&spec.classes, whole.targets) {
        (Some(kept), Targets::Classes { labels, names }) => relabel(kept, &labels, &names),
        (None, Targets::Classes { labels, names }) if spec.rows.is_some() => {
            let seen = |label: u32| samples.iter().any(|&sample| labels[sample as usize] == label);
            let kept: Vec<String> =
                (0..).zip(&names).filter(|(label, _)| seen(*label)).map(|(_, name)| name.clone()).collect();
            relabel(&kept, &labels, &names)
        }
        (_, targets) => targets,
    };
    Ok(Data {
        name: whole.name,
        shape: whole.shape,
        features: whole.features,
        feature_names: whole.feature_names,
        targets,
        train: parts.train,
        validation: parts.validation,
        test: parts.test,
        digests: whole.digests,
    })
}

/// Labels in the order of `kept`; samples of other classes keep a label that no part refers to.
fn relabel(kept: &[String], labels: &[u32], names: &[String]) -> Targets {
    let new: Vec<u32> = names
        .iter()
        .map(|name| kept.iter().position(|kept| kept == name).map_or(u32::MAX, |label| label as u32))
        .collect();
    Targets::Classes {
        labels: labels.iter().map(|&label| new[label as usize]).collect(),
        names: kept.to_vec(),
    }
}

/// The samples that `rows` and `classes` keep, in order.
fn chosen(spec: &DatasetSpec, whole: &Whole) -> Result<Vec<u32>, DataError> {
    let total = whole.targets.len();
    let [first, last] = spec.rows.unwrap_or([1, total]);
    if last > total {
        let reason = format!("`dataset.rows` ends at row {last}, but there are {total} rows");
        return Err(DataError::new(&whole.name, reason, format!("write rows up to {total}")));
    }
    let rows = first as u32 - 1..last as u32;
    let Some(kept) = &spec.classes else { return Ok(rows.collect()) };
    let Targets::Classes { labels, names } = &whole.targets else {
        return Err(DataError::new(
            &whole.name,
            "`dataset.classes` asks for classes, but a value is predicted",
            "remove one of the two keys",
        ));
    };
    if let Some(twice) = repeated(kept) {
        return Err(twice_in(&whole.name, "dataset.classes", twice));
    }
    for class in kept {
        if !names.contains(class) {
            let known = names.join(", ");
            let fix = match did_you_mean(class, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? Classes: {known}"),
                None => format!("classes: {known}"),
            };
            return Err(DataError::new(
                &whole.name,
                format!("`dataset.classes` asks for `{class}`, which does not exist"),
                fix,
            ));
        }
    }
    Ok(rows.filter(|&row| kept.contains(&names[labels[row as usize] as usize])).collect())
}

fn read(spec: &DatasetSpec) -> Result<Whole, DataError> {
    let whole = match &spec.source {
        Source::Csv { path, class } => {
            let name = path.display().to_string();
            let content = idx::decompress(&name, read_file(path)?)?;
            return columns(spec, &name, &content, class.as_deref());
        }
        Source::Catalogue { name, folder } => {
            let Some(set) = catalogue::find(name) else {
                let fix = format!("`{}` prints the sets", command::line(["data", "list"]));
                return Err(DataError::new(name, "is no set of the catalogue", fix));
            };
            if let Store::Csv(file, class) = set.store {
                return columns(spec, set.name, file.bytes, Some(class)).map(|whole| Whole {
                    digests: vec![(file.name.to_owned(), sha256_hex(file.bytes))],
                    ..whole
                });
            }
            catalogue_set(set, folder.as_deref())?
        }
        Source::Images { path, channels } => images(path, *channels)?,
        Source::Idx { train, train_labels, test, class_names } => {
            let mut files = vec![named(train)?, named(train_labels)?];
            if let Some((test, labels)) = test {
                files.extend([named(test)?, named(labels)?]);
            }
            from_idx("idx", files, class_names)?
        }
        Source::Inline { features, labels, values } => inline(features, labels, values),
        Source::Clouds { samples, features, margin, radius, seed } => {
            let (x, labels) = synthetic::clouds(*samples, *features, *margin, *radius, seed.unwrap_or(1));
            let names = vec!["minus".to_owned(), "plus".to_owned()];
            computed("clouds", *features, x, Targets::Classes { labels, names })
        }
        Source::Function { function, samples, test_samples, from, to, noise, seed } => {
            let (x, values) = synthetic::function(
                *function,
                [*from, *to],
                [*samples, *test_samples],
                *noise,
                seed.unwrap_or(1),
            );
            let targets = Targets::Values { values, name: "y".to_owned() };
            Whole { test_from: *samples, ..computed(function_name(*function), 1, x, targets) }
        }
    };
    let key = if spec.features.is_some() { "features" } else { "target" };
    if spec.features.is_some() || spec.target.is_some() {
        let reason = format!("`dataset.{key}` names a column, but these data have none");
        return Err(DataError::new(&whole.name, reason, "remove the key, or use a table"));
    }
    Ok(whole)
}

fn function_name(function: Function) -> &'static str {
    match function {
        Function::Sine => "sine",
        Function::Absolute => "absolute",
        Function::Step => "step",
        Function::Square => "square",
        Function::Nielsen => "nielsen",
    }
}

/// A table with columns: the class column or `target` is predicted from `features` or all others.
fn columns(spec: &DatasetSpec, name: &str, content: &[u8], class: Option<&str>) -> Result<Whole, DataError> {
    let table = Table::parse(name, content)?;
    let class = class.map(|class| table.column(class, "dataset.class")).transpose()?;
    let target = spec.target.as_deref().map(|target| table.column(target, "dataset.target")).transpose()?;
    if class.is_none() && target.is_none() {
        return Err(nothing_predicted(name));
    }
    if let Some(twice) = spec.features.as_deref().and_then(repeated) {
        return Err(twice_in(name, "dataset.features", twice));
    }
    let chosen: Vec<usize> = match &spec.features {
        Some(features) => features
            .iter()
            .map(|feature| table.column(feature, "dataset.features"))
            .collect::<Result<_, _>>()?,
        None => (0..table.columns.len())
            .filter(|&column| Some(column) != class && Some(column) != target)
            .collect(),
    };
    if chosen.is_empty() {
        return Err(DataError::new(
            name,
            "has no column left to predict from",
            "name some with `dataset.features`",
        ));
    }
    if let Some(predicted) = target.or(class).filter(|predicted| chosen.contains(predicted)) {
        let reason =
            format!("the column `{}` is both a feature and what is predicted", table.columns[predicted]);
        return Err(DataError::new(name, reason, "take it out of `dataset.features`"));
    }
    let rows = 0..table.len();
    let cells = rows.clone().flat_map(|row| chosen.iter().map(move |&column| (row, column)));
    let features = cells.map(|(row, column)| table.number(row, column)).collect::<Result<Vec<f64>, _>>()?;
    let targets = match (target, class) {
        (Some(target), _) => {
            let values = rows.map(|row| table.number(row, target)).collect::<Result<Vec<f64>, _>>()?;
            Targets::Values { values, name: table.columns[target].clone() }
        }
        (None, Some(class)) => {
            let (labels, names) = table.classes(class)?;
            Targets::Classes { labels, names }
        }
        (None, None) => return Err(nothing_predicted(name)),
    };
    Ok(Whole {
        name: name.to_owned(),
        shape: vec![chosen.len()],
        features: Features::F64(features),
        feature_names: chosen.iter().map(|&column| table.columns[column].clone()).collect(),
        targets,
        test_from: table.len(),
        digests: vec![("csv".to_owned(), sha256_hex(content))],
    })
}

fn nothing_predicted(name: &str) -> DataError {
    let fix = "name the column of the class with `dataset.class`, or of a value with `dataset.target`";
    DataError::new(name, "nothing says which column is to be predicted", fix)
}

fn twice_in(name: &str, key: &str, twice: &str) -> DataError {
    DataError::new(name, format!("`{key}` has `{twice}` twice"), "keep one of the two")
}

fn catalogue_set(set: &Set, folder: Option<&Path>) -> Result<Whole, DataError> {
    let classes: Vec<String> = set.classes.iter().map(|&class| class.to_owned()).collect();
    let files = match set.store {
        Store::Idx(parts) => parts
            .iter()
            .flatten()
            .map(|file| {
                let name = file.name.trim_end_matches(".gz").to_owned();
                Ok(Content { name, ..Content::decompress(file.name, file.bytes)? })
            })
            .collect::<Result<Vec<_>, DataError>>()?,
        Store::Disk(digests) => {
            let folder = full::locate(set, folder)?;
            (0..4).map(|at| full::read(set, &folder, at, digests[at])).collect::<Result<Vec<_>, _>>()?
        }
        Store::Logic(outputs) => {
            let x = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
            let targets = Targets::Classes { labels: outputs.to_vec(), names: classes };
            return Ok(computed(set.name, 2, x, targets));
        }
        Store::Csv(..) => Vec::new(),
    };
    from_idx(set.name, files, &classes)
}

fn named(path: &Path) -> Result<Content, DataError> {
    Content::decompress(&path.display().to_string(), read_file(path)?)
}

/// Samples and labels, then perhaps those of a test part.
fn from_idx(name: &str, files: Vec<Content>, classes: &[String]) -> Result<Whole, DataError> {
    if let Some(twice) = repeated(classes) {
        return Err(twice_in(name, "class_names", twice));
    }
    let digests = files.iter().map(|file| (file_name(&file.name), file.digest.clone())).collect();
    let mut shape = Vec::new();
    let mut features: Option<Features> = None;
    let mut labels: Vec<u32> = Vec::new();
    let mut test_from = 0;
    let mut files = files.into_iter();
    while let (Some(x), Some(y)) = (files.next(), files.next()) {
        let samples = idx::parse(&x.name, x.bytes)?;
        let known = Some(classes.len()).filter(|&classes| classes > 0);
        let part = idx::labels(&y.name, idx::parse(&y.name, y.bytes)?, samples.sizes[0], known)?;
        if features.is_some() && shape != samples.sizes[1..] {
            let reason = format!("has samples of {:?}, the training part of {shape:?}", &samples.sizes[1..]);
            return Err(DataError::new(&x.name, reason, "take both parts from the same set"));
        }
        shape = samples.sizes[1..].to_vec();
        features = Some(match (features, samples.values) {
            (None, values) => {
                test_from = samples.sizes[0];
                values
            }
            (Some(all), more) => all.append(more).ok_or_else(|| {
                DataError::new(
                    &x.name,
                    "has another type of values than the training part",
                    "take both parts from the same set",
                )
            })?,
        });
        labels.extend(part);
    }
    let features = features.unwrap_or(Features::U8(Arc::default()));
    let names = match classes {
        [] => (0..=labels.iter().copied().max().unwrap_or(0)).map(|label| label.to_string()).collect(),
        names => names.to_vec(),
    };
    Ok(Whole {
        name: name.to_owned(),
        shape: sample_shape(shape, &features),
        features,
        feature_names: Vec::new(),
        targets: Targets::Classes { labels, names },
        test_from,
        digests,
    })
}

/// Two axes are [rows, columns] of a picture with one channel where the values are bytes, and
/// [channels, length] of a signal where they are 16-bit integers.
fn sample_shape(sizes: Vec<usize>, values: &Features) -> Vec<usize> {
    match (sizes.as_slice(), values) {
        ([], _) => vec![1],
        ([rows, columns], Features::U8(_)) => vec![1, *rows, *columns],
        _ => sizes,
    }
}

fn file_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).trim_end_matches(".gz").to_owned()
}

fn images(path: &Path, channels: usize) -> Result<Whole, DataError> {
    let folder = picture::read_folder(path, channels)?;
    let labels: Vec<u8> = folder.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
    Ok(Whole {
        name: "images".to_owned(),
        shape: folder.shape.to_vec(),
        feature_names: Vec::new(),
        test_from: folder.labels.len(),
        digests: vec![
            ("pixels".to_owned(), sha256_hex(&folder.pixels)),
            ("labels".to_owned(), sha256_hex(&labels)),
        ],
        features: Features::U8(Arc::new(folder.pixels)),
        targets: Targets::Classes { labels: folder.labels, names: folder.classes },
    })
}

fn inline(rows: &[Vec<f64>], labels: &[u32], values: &[f64]) -> Whole {
    let targets = if labels.is_empty() {
        Targets::Values { values: values.to_vec(), name: "y".to_owned() }
    } else {
        let most = labels.iter().copied().max().unwrap_or(0);
        Targets::Classes {
            labels: labels.to_vec(),
            names: (0..=most).map(|label| label.to_string()).collect(),
        }
    };
    computed("inline", rows.first().map_or(0, Vec::len), rows.concat(), targets)
}

/// Data that come from no file: features x1, x2, ..., all for training, digest of the values.
fn computed(name: &str, width: usize, x: Vec<f64>, targets: Targets) -> Whole {
    let mut bytes: Vec<u8> = x.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect();
    match &targets {
        Targets::Classes { labels, .. } => bytes.extend(labels.iter().flat_map(|label| label.to_le_bytes())),
        Targets::Values { values, .. } => {
            bytes.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()))
        }
    }
    Whole {
        name: name.to_owned(),
        shape: vec![width],
        features: Features::F64(x),
        feature_names: (1..=width).map(|i| format!("x{i}")).collect(),
        test_from: targets.len(),
        targets,
        digests: vec![(name.to_owned(), sha256_hex(&bytes))],
    }
}
