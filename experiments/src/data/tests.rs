use super::*;
use crate::spec::{DatasetSpec, Share, Source, Split};

fn named(name: &str) -> DatasetSpec {
    DatasetSpec {
        source: Source::Catalogue { name: name.to_owned(), folder: None },
        rows: None,
        features: None,
        classes: None,
        target: None,
        split: Split::Given,
        validation: Share::Count(0),
        train: None,
        split_seed: 0,
    }
}

fn texts(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|&item| item.to_owned()).collect())
}

fn counts(data: &Data) -> Vec<usize> {
    let Targets::Classes { labels, names } = &data.targets else { return Vec::new() };
    (0..names.len() as u32).map(|class| labels.iter().filter(|&&label| label == class).count()).collect()
}

#[test]
fn every_set_in_the_program_has_the_shape_and_the_classes_of_its_description() {
    /// Name, shape, training and test samples, samples per class.
    type Expected = (&'static str, &'static [usize], [usize; 2], &'static [usize]);
    let expected: [Expected; 10] = [
        ("xor", &[2], [4, 0], &[2, 2]),
        ("iris-uci", &[4], [150, 0], &[50, 50, 50]),
        ("iris-fisher", &[4], [150, 0], &[50, 50, 50]),
        ("wine", &[13], [178, 0], &[59, 71, 48]),
        ("breast-cancer", &[30], [569, 0], &[212, 357]),
        ("sonar", &[60], [208, 0], &[97, 111]),
        ("digits", &[1, 8, 8], [1797, 0], &[178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
        ("landsat", &[4, 3, 3], [4435, 2000], &[1533, 703, 1358, 626, 707, 1508]),
        ("activity", &[3, 128], [2120, 1043], &[]),
        ("fashion-5k", &[1, 28, 28], [5000, 1000], &[]),
    ];
    for (name, shape, [train, test], classes) in expected {
        let data = load(&named(name)).unwrap();
        assert_eq!(data.shape, shape, "{name}");
        assert_eq!((data.train.len(), data.test.len()), (train, test), "{name}");
        if !classes.is_empty() {
            assert_eq!(counts(&data), classes, "{name}");
        }
    }
}

#[test]
fn raschkas_iris_is_two_classes_and_two_columns() {
    let spec = DatasetSpec {
        rows: Some([1, 100]),
        features: texts(&["sepal_length_cm", "petal_length_cm"]),
        ..named("iris-uci")
    };
    let data = load(&spec).unwrap();
    assert_eq!((data.shape.as_slice(), data.train.len()), (&[2][..], 100));
    assert_eq!((data.features.get(0), data.features.get(1)), (5.1, 1.4));
    let Targets::Classes { labels, names } = &data.targets else { panic!() };
    assert_eq!((labels[0], labels[99], names.len()), (0, 1, 2));
}

#[test]
fn the_order_of_classes_gives_the_labels() {
    let data =
        load(&DatasetSpec { classes: texts(&["virginica", "versicolor"]), ..named("iris-uci") }).unwrap();
    assert_eq!(data.train, (50..150).collect::<Vec<u32>>());
    let Targets::Classes { labels, names } = &data.targets else { panic!() };
    assert_eq!((labels[50], labels[100], names.len()), (1, 0, 2));
}

#[test]
fn the_first_rows_are_a_split_without_chance() {
    let data = load(&DatasetSpec { split: Split::First(898), ..named("digits") }).unwrap();
    assert_eq!((data.train.len(), data.test.len(), data.test[0]), (898, 899, 898));
}

#[test]
fn parts_are_disjoint_and_in_order() {
    let spec =
        DatasetSpec { split: Split::Test(Share::Part(0.25)), validation: Share::Count(30), ..named("wine") };
    let data = load(&spec).unwrap();
    assert_eq!((data.train.len(), data.validation.len(), data.test.len()), (104, 30, 44));
    for part in [&data.train, &data.validation, &data.test] {
        assert!(part.is_sorted());
    }
    let mut all = [data.train, data.validation, data.test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..178).collect::<Vec<u32>>());
}

#[test]
fn errors_name_the_key_and_what_there_is() {
    let more = DatasetSpec { validation: Share::Count(200), ..named("wine") };
    let error = load(&more).unwrap_err().to_string();
    assert!(error.contains("`dataset.validation` asks for 200 samples, but only 178"), "{error}");
    let typo = DatasetSpec { features: texts(&["alcool"]), ..named("wine") };
    assert!(load(&typo).unwrap_err().to_string().contains("did you mean `alcohol`?"));
    let typo = DatasetSpec { classes: texts(&["setosas"]), ..named("iris-uci") };
    assert!(load(&typo).unwrap_err().to_string().contains("did you mean `setosa`?"));
}

#[test]
fn the_photograph_decodes_to_the_known_bytes() {
    let picture = picture::load(&crate::spec::Image::Temple).unwrap();
    assert_eq!(picture.shape, [3, 427, 640]);
}
