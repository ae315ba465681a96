use kernels::Level;

use super::*;
use crate::results::Row;
use crate::spec::{Published, TableSpec};

fn experiment() -> Experiment {
    Experiment {
        name: "mlp-width".into(),
        title: "Effect of the hidden width".into(),
        question: String::new(),
        course: String::new(),
        roles: Vec::new(),
        quick: false,
        kind: "network",
        seeds: vec![1, 2, 3],
        swept: vec!["model.layers.1.dense.units".into()],
        cells: Vec::new(),
        published: Vec::new(),
        expect: Vec::new(),
        table: TableSpec { columns: vec!["test.accuracy".into()], ..TableSpec::default() },
        plots: Vec::new(),
        warnings: Vec::new(),
        file: String::new(),
        text: String::new(),
        overrides: Vec::new(),
    }
}

fn sheet(cells: &[(&str, &[Option<f64>])]) -> Sheet {
    let rows = cells.iter().enumerate().flat_map(|(cell, (setting, values))| {
        values.iter().enumerate().map(move |(i, value)| Row {
            cell,
            seed: i as u64 + 1,
            settings: vec![(*setting).to_owned()],
            diverged: value.is_none(),
            metrics: value.map(|v| ("test.accuracy".to_owned(), Value::Real(v))).into_iter().collect(),
        })
    });
    Sheet { keys: vec!["model.layers.1.dense.units".into()], rows: rows.collect() }
}

fn published(cell: &str, value: f64, note: &str) -> Published {
    Published {
        cell: vec![("model.layers.1.dense.units".into(), cell.into())],
        metric: "test.accuracy".into(),
        values: vec![value],
        at: vec![1],
        source: "Nielsen 2015, ch. 1".into(),
        note: note.into(),
    }
}

#[test]
fn a_table_shows_mean_spread_and_n() {
    let sheet =
        sheet(&[("32", &[Some(0.81), Some(0.82), Some(0.86)]), ("128", &[Some(0.9), None, Some(0.9)])]);
    let table = Table::new(Level::best(), &experiment(), &sheet);
    assert_eq!(
        table.to_markdown(),
        "| units | n | test.accuracy |\n\
         | :-- | :-- | --: |\n\
         | 32 | 3 | 0.830 ± 0.026 |\n\
         | 128 | 2/3 | 0.9 ± 0 |\n\
         \n\
         Effect of the hidden width. Mean ± sample standard deviation (n − 1) over 3 training seeds. \
         n = a/b: of b trials a did not diverge; the statistics are over these a alone. Numeric contract 1.\n"
    );
}

#[test]
fn numbers_stand_at_their_decimal_point_on_a_terminal() {
    let sheet = sheet(&[("32", &[Some(12.0), Some(14.0)]), ("1", &[Some(0.5), Some(0.75)])]);
    let text = Table::new(Level::best(), &experiment(), &sheet).to_terminal();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[2], "32     2  13.0 ± 1.4");
    assert_eq!(lines[3], "1      2   0.62 ± 0.18");
}

#[test]
fn latex_sets_mean_and_deviation_in_two_columns() {
    let mut experiment = experiment();
    experiment.title = "Width & depth: 100% of_it".into();
    let sheet = sheet(&[("a_1", &[Some(0.81), Some(0.82), Some(0.86)]), ("b", &[None, None, None])]);
    let text = Table::new(Level::best(), &experiment, &sheet).to_latex();
    assert!(text.contains("{l l S[table-format=1.3]@{\\,$\\pm$\\,}S[table-format=1.3]}"), "{text}");
    assert!(text.contains("{a\\_1} & {3} & 0.830 & 0.026 \\\\"), "{text}");
    assert!(text.contains("{b} & {0/3} & \\multicolumn{2}{c}{diverged} \\\\"), "{text}");
    assert!(text.contains("Width \\& depth: 100\\% of\\_it. Mean $\\pm$ sample"), "{text}");
    assert!(text.contains("\\multicolumn{2}{c}{test.accuracy}"), "{text}");
}

#[test]
fn published_figures_stand_beside_ours_with_their_source_and_difference() {
    let mut experiment = experiment();
    experiment.published =
        vec![published("32", 0.9542, "MNIST; ours is Fashion-MNIST"), published("9", 0.1, "")];
    let sheet = sheet(&[("32", &[Some(0.81)]), ("128", &[Some(0.9)])]);
    let table = Table::new(Level::best(), &experiment, &sheet);
    let text = table.to_markdown();
    assert!(text.contains("| 32 | 0.81 | 0.9542 \\[1\\] |\n| 128 | 0.9 | — |"), "{text}");
    assert!(text.contains("\\[1\\] Published: Nielsen 2015, ch. 1; MNIST; ours is Fashion-MNIST."), "{text}");
    let values: Vec<Option<f64>> = summarise(Level::best(), &sheet)
        .iter()
        .map(|row| published_value(&experiment, &sheet.keys, row))
        .collect();
    assert_eq!(values, [Some(0.9542), None]);
}

#[test]
fn without_a_sweep_every_metric_has_a_row() {
    let mut experiment = experiment();
    experiment.swept.clear();
    experiment.table.columns.clear();
    experiment.kind = "convolve";
    experiment.seeds = vec![1];
    let row = Row {
        cell: 0,
        seed: 1,
        settings: Vec::new(),
        diverged: false,
        metrics: vec![("updates".into(), Value::Count(10)), ("bound".into(), Value::Real(389.6912))],
    };
    let table = Table::new(Level::best(), &experiment, &Sheet { keys: Vec::new(), rows: vec![row] });
    assert!(
        table
            .to_markdown()
            .starts_with("| quantity | ours |\n| :-- | --: |\n| updates | 10 |\n| bound | 389.691 |\n")
    );
}

#[test]
fn a_single_trial_that_diverged_says_so() {
    let mut experiment = experiment();
    let some = Table::new(Level::best(), &experiment, &sheet(&[("32", &[Some(0.81)]), ("64", &[None])]))
        .to_markdown();
    assert!(some.contains("| 64 | diverged |") && !some.contains("n = a/b"), "{some}");
    let none = Table::new(Level::best(), &experiment, &sheet(&[("32", &[None])])).to_markdown();
    assert!(none.contains("| units | test.accuracy |") && none.contains("| 32 | diverged |"), "{none}");
    experiment.swept.clear();
    let mut sheet = sheet(&[("32", &[None])]);
    sheet.keys.clear();
    sheet.rows[0].settings.clear();
    let alone = Table::new(Level::best(), &experiment, &sheet).to_markdown();
    assert!(alone.contains("| test.accuracy | diverged |"), "{alone}");
}

#[test]
fn a_median_comes_with_its_range() {
    let mut experiment = experiment();
    experiment.table.statistic = Statistic::Median;
    let sheet = sheet(&[("32", &[Some(0.86), Some(0.95), Some(0.9525)])]);
    let table = Table::new(Level::best(), &experiment, &sheet);
    assert!(table.to_markdown().contains("| 32 | 3 | 0.95 (0.86 to 0.9525) |"));
    assert!(table.to_latex().contains("0.95 & (\\num{0.86} to \\num{0.9525})"));
}

#[test]
fn headings_are_the_shortest_that_tell_keys_apart() {
    let keys = |keys: &[&str]| headings(&keys.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>());
    assert_eq!(keys(&["model.layers.1.dense.units", "train.batch"]), ["units", "batch"]);
    assert_eq!(
        keys(&["model.layers.1.dense.units", "model.layers.2.dense.units"]),
        ["1.dense.units", "2.dense.units"]
    );
    assert_eq!(keys(&["case"]), ["case"]);
}

#[test]
fn a_published_series_stands_beside_our_curve() {
    let mut experiment = experiment();
    experiment.published = vec![Published {
        values: vec![1.0, 3.0, 2.5],
        at: vec![1, 2, 7],
        metric: "updates".into(),
        ..published("32", 0.0, "")
    }];
    let key = &experiment.swept[0];
    let curves = format!("cell,seed,{key},epoch,updates\n0,1,32,1,1\n0,1,32,2,3\n1,1,64,1,9\n");
    let tables = series_tables(Level::best(), &experiment, curves.as_bytes()).unwrap();
    let text = tables[0].to_markdown();
    assert!(text.contains("| 1 | 1 | 1 |\n| 2 | 3 | 3 |\n| — | — | 2.5 |\n"), "{text}");
    assert!(series_tables(Level::best(), &experiment, b"cell,seed,epoch\n").is_err());
}

#[test]
fn folds_are_pooled_where_the_file_asks_for_it() {
    let mut experiment = experiment();
    experiment.swept.push("dataset.split.fold".into());
    experiment.table.pool = vec!["dataset.split.fold".into()];
    let mut sheet = sheet(&[("32", &[Some(0.5), Some(0.7)]), ("32", &[Some(0.9)])]);
    sheet.keys.push("dataset.split.fold".into());
    for (row, fold) in sheet.rows.iter_mut().zip(["0", "0", "1"]) {
        row.settings.push(fold.into());
    }
    let text = Table::new(Level::best(), &experiment, &sheet).to_markdown();
    assert!(
        text.contains("| units | n | test.accuracy |\n| :-- | :-- | --: |\n| 32 | 3 | 0.70 ± 0.20 |\n"),
        "{text}"
    );
    assert!(text.contains("over 3 training seeds for each fold."), "{text}");
}

#[test]
fn trials_that_reach_a_bound_are_counted_diverged_ones_among_the_rest() {
    let mut experiment = experiment();
    experiment.table.reached = Some(("test.accuracy".into(), 0.9));
    let sheet = sheet(&[("32", &[Some(0.9), Some(0.89), None]), ("64", &[Some(1.0), Some(1.0), Some(1.0)])]);
    let text = Table::new(Level::best(), &experiment, &sheet).to_markdown();
    assert!(text.starts_with("| units | n | test.accuracy ≥ 0.9 | test.accuracy |\n"), "{text}");
    assert!(text.contains("| 32 | 2/3 | 1 of 3 |") && text.contains("| 64 | 3 | 3 of 3 |"), "{text}");
}

#[test]
fn many_figures_of_few_cells_stand_below_each_other() {
    let mut experiment = experiment();
    experiment.kind = "convolve";
    experiment.table.columns.clear();
    let mut sheet = sheet(&[("a", &[Some(0.5)]), ("b", &[Some(0.7)])]);
    for row in &mut sheet.rows {
        row.metrics.extend((0..9).map(|i| (format!("y[{i}]"), Value::Count(i))));
    }
    let text = Table::new(Level::best(), &experiment, &sheet).to_markdown();
    assert!(
        text.starts_with("| quantity | a | b |\n| :-- | --: | --: |\n| test.accuracy | 0.5 | 0.7 |\n"),
        "{text}"
    );
    assert!(text.contains("| y\\[8\\] | 8 | 8 |"), "{text}");
}
