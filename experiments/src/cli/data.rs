//! `experiments data`: the sets, their licences, and whether they are intact.

use serde_json::{Value as Json, json};

use super::output::{aligned, say};
use super::{DataVerb, Global};
use crate::command;
use crate::data::catalogue::{self, SETS, Set, Store};
use crate::data::{DataError, embedded, full, picture};
use crate::diagnostics::did_you_mean;
use crate::durable::{is_crlf_of, sha256_hex};
use crate::exit::{Exit, Failure};
use crate::spec::Image;

pub(super) fn data(global: &Global, verb: &DataVerb) -> Result<Exit, Failure> {
    match verb {
        DataVerb::List => list(global),
        DataVerb::Verify { names } => verify(global, names),
    }
}

/// Where a set is: in the program, in a folder, or nowhere.
fn place(set: &Set) -> String {
    match set.store {
        Store::Disk(_) => {
            full::locate(set, None).map_or("not found".to_owned(), |folder| folder.display().to_string())
        }
        Store::Logic(_) => "computed".to_owned(),
        Store::Csv(..) | Store::Idx(_) => "in the program".to_owned(),
    }
}

fn list(global: &Global) -> Result<Exit, Failure> {
    if global.json {
        let sets: Vec<Json> = SETS
            .iter()
            .map(|set| {
                json!({ "name": set.name, "title": set.title, "shape": set.shape, "licence": set.licence,
                               "attribution": set.attribution, "place": place(set) })
            })
            .collect();
        say(&format!("{:#}", Json::Array(sets)))?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![["name", "samples", "licence", "where", "what"].map(str::to_owned).to_vec()];
    rows.extend(SETS.iter().map(|set| {
        vec![
            set.name.to_owned(),
            set.shape.to_owned(),
            set.licence.to_owned(),
            place(set),
            set.title.to_owned(),
        ]
    }));
    let mut text = format!("{}\nTo be named wherever the data are used:\n", aligned(&rows));
    let mut named: Vec<&str> = Vec::new();
    for set in SETS.iter().filter(|set| !matches!(set.store, Store::Logic(_))) {
        if !named.contains(&set.attribution) {
            named.push(set.attribution);
            text += &format!("  {}: {}\n", set.name, set.attribution);
        }
    }
    text += "  temple.jpg: photo by the user danielbuechele on Flickr, CC BY 2.0, as distributed by scikit-learn\n";
    say(&text)?;
    Ok(Exit::Done)
}

/// One checked file: its name, and what is wrong with it.
type Checked = (String, Result<(), DataError>);

fn verify(global: &Global, names: &[String]) -> Result<Exit, Failure> {
    for name in names {
        if catalogue::find(name).is_none() {
            let near = did_you_mean(name, catalogue::names())
                .map_or(String::new(), |near| format!("did you mean `{near}`? "));
            let fix = format!("{near}`{}` prints the sets", command::line(["data", "list"]));
            return Err(Failure::new(
                Exit::Usage,
                format!("error: no set is called `{name}`\n   = fix: {fix}"),
            ));
        }
    }
    let wanted = |set: &Set| names.is_empty() || names.iter().any(|name| name == set.name);
    let mut checked: Vec<Checked> =
        SETS.iter().filter(|set| wanted(set)).flat_map(|set| verify_set(set, names)).collect();
    if names.is_empty() {
        checked.push(verify_embedded(&embedded::TEMPLE));
        checked.push(("temple.jpg, decoded".to_owned(), picture::load(&Image::Temple).map(|_| ())));
    }
    let failed = checked.iter().filter(|(_, result)| result.is_err()).count();
    if global.json {
        let objects: Vec<Json> = checked
            .iter()
            .map(|(file, result)| json!({ "file": file, "error": result.as_ref().err().map(ToString::to_string) }))
            .collect();
        say(&format!("{:#}", Json::Array(objects)))?;
    } else {
        let line = |(file, result): &Checked| match result {
            Ok(()) => format!("ok       {file}\n"),
            Err(error) => format!("DAMAGED  {error}\n"),
        };
        say(&format!(
            "{}{} file(s), {failed} damaged",
            checked.iter().map(line).collect::<String>(),
            checked.len()
        ))?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Data })
}

fn verify_embedded(file: &embedded::File) -> Checked {
    let found = sha256_hex(file.bytes);
    let result = match embedded::expected_digest(file.name) {
        Some(expected) if expected == found => Ok(()),
        Some(expected) if is_crlf_of(file.bytes, expected) => Err(DataError::new(
            file.name,
            "is not as SHA256SUMS says: its line ends were changed to CRLF, as git does with core.autocrlf=true",
            "`git config core.autocrlf false`, `git rm -rq --cached experiments/data`, \
             `git checkout HEAD -- experiments/data`, then build the program again",
        )),
        _ => Err(DataError::new(
            file.name,
            format!("has the SHA-256 {found}, not that of SHA256SUMS"),
            "build the program again",
        )),
    };
    (file.name.to_owned(), result)
}

/// The files of a set; a full-size set that is not there counts only if it was named.
fn verify_set(set: &Set, names: &[String]) -> Vec<Checked> {
    match set.store {
        Store::Logic(_) => Vec::new(),
        Store::Csv(file, _) => vec![verify_embedded(file)],
        Store::Idx(parts) => parts.iter().flatten().map(|file| verify_embedded(file)).collect(),
        Store::Disk(digests) => match full::locate(set, None) {
            Ok(folder) => (0..4)
                .map(|at| {
                    let name = folder.join(full::FILES[at]).display().to_string();
                    (name, full::read(set, &folder, at, digests[at]).map(|_| ()))
                })
                .collect(),
            Err(error) if names.iter().any(|name| name == set.name) => {
                vec![(set.name.to_owned(), Err(error))]
            }
            Err(_) => Vec::new(),
        },
    }
}
