//! Data that are missing, damaged or do not fit: exit code 3.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Bench, VALID, changed};

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of bytes.
fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(values);
    file
}

/// An experiment on four 2 x 2 images of two classes in `images.gz` and `labels.gz`.
fn on_images() -> (Bench, Vec<u8>, Vec<u8>) {
    let bench = Bench::new();
    let text = changed(
        "name = \"wine\"\nvalidation = 20",
        "idx = { train = \"images.gz\", train_labels = \"labels.gz\", class_names = [\"a\", \"b\"] }",
    )
    .replace("input = [13]", "input = [1, 2, 2]")
    .replace("layers = [", "layers = [\"flatten\", ")
    .replace("units = 3", "units = 2");
    bench.write("images.toml", text);
    let (images, labels) = (idx(&[4, 2, 2], &[7; 16]), idx(&[4], &[0, 1, 0, 1]));
    bench.write("images.gz", gzipped(&images));
    bench.write("labels.gz", gzipped(&labels));
    (bench, images, labels)
}

#[test]
fn good_files_are_read() {
    let (bench, ..) = on_images();
    let output = bench.run(&["check", "images.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    // Constant pixels are worth a word.
    assert!(String::from_utf8_lossy(&output.stdout).contains("4 column(s) of idx are constant"));
}

#[test]
fn a_missing_file_is_named() {
    let (bench, ..) = on_images();
    std::fs::remove_file(bench.path("labels.gz")).unwrap();
    bench.refuses("images.toml", 3, &["labels.gz: does not exist"]);
}

#[test]
fn a_page_saved_as_data_is_recognised() {
    let (bench, ..) = on_images();
    bench.write("images.gz", "<!DOCTYPE html>\n<html><body>404</body></html>");
    bench.refuses("images.toml", 3, &["images.gz: is an HTML page, not data", "download"]);
}

#[test]
fn damaged_gzip_data_are_recognised() {
    let (bench, images, _) = on_images();
    let whole = gzipped(&images);
    bench.write("images.gz", &whole[..whole.len() / 2]);
    bench.refuses("images.toml", 3, &["images.gz: the gzip data end too early"]);
    let mut flipped = whole.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 0xff;
    bench.write("images.gz", &flipped);
    bench.refuses("images.toml", 3, &["images.gz: the gzip data are damaged"]);
    bench.write("images.gz", &images);
    bench.refuses("images.toml", 3, &["images.gz: is not gzip data: it begins with 00 00"]);
    bench.write("images.gz", [&whole[..], b"and more that is no gzip member"].concat());
    bench.refuses("images.toml", 3, &["images.gz: the gzip data are damaged"]);
    bench.write("images.gz", "");
    bench.refuses("images.toml", 3, &["images.gz: is not gzip data: it begins with an empty file"]);
}

#[test]
fn a_gzip_file_of_several_members_is_read_whole() {
    let (bench, images, _) = on_images();
    let (first, second) = images.split_at(images.len() / 2);
    bench.write("images.gz", [gzipped(first), gzipped(second)].concat());
    let output = bench.run(&["check", "images.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn headers_that_lie_are_recognised() {
    let (bench, images, _) = on_images();
    let refused = |content: &[u8], part: &str| {
        bench.write("images.gz", gzipped(content));
        bench.refuses("images.toml", 3, &["images.gz: ", part]);
    };
    refused(b"PK\x03\x04 and so on", "is no IDX file: it begins with 50 4b 03 04");
    refused(&images[..images.len() - 1], "header and size disagree: 4 x 2 x 2 values");
    refused(&[images.clone(), vec![0]].concat(), "header and size disagree");
    refused(&idx(&[u32::MAX; 4], &[]), "header and size disagree");
    refused(&[0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0], "type 0d");
    refused(&[0, 0], "too few for an IDX header");
}

#[test]
fn labels_must_fit_the_images_and_the_classes() {
    let (bench, ..) = on_images();
    let text = std::fs::read_to_string(bench.path("images.toml")).unwrap();
    bench.write("twice.toml", text.replace("[\"a\", \"b\"]", "[\"a\", \"a\"]"));
    bench.refuses("twice.toml", 3, &["`class_names` has `a` twice"]);
    bench.write("labels.gz", gzipped(&idx(&[4], &[0, 1, 0, 2])));
    bench.refuses(
        "images.toml",
        3,
        &["labels.gz: label 2 of sample 3 is out of range: there are 2 classes, 0 to 1"],
    );
    bench.write("labels.gz", gzipped(&idx(&[3], &[0, 1, 0])));
    bench.refuses("images.toml", 3, &["labels.gz: has 3 labels for 4 samples"]);
    bench.write("labels.gz", gzipped(&idx(&[4, 1], &[0, 1, 0, 1])));
    bench.refuses("images.toml", 3, &["labels.gz: does not hold labels"]);
}

#[test]
fn tables_with_bad_cells_show_line_and_column() {
    let bench = Bench::new();
    let text = changed("name = \"wine\"\nvalidation = 20", "csv = \"t.csv\"\nclass = \"kind\"")
        .replace("input = [13]", "input = [2]")
        .replace("units = 3", "units = 2");
    bench.write("table.toml", text);
    for (csv, part) in [
        ("a,b,kind\n1,2,x\n3,oops,y\n", "t.csv:3: `oops` in the column `b` is no number"),
        ("a,b,kind\n1,2,x\n3,,y\n", "t.csv:3: `` in the column `b` is empty"),
        ("a,b,kind\n1,nan,x\n", "t.csv:2: `nan` in the column `b` is no finite number"),
        (
            "a,b,kind\n1,1e60,x\n",
            "t.csv:2: `1e60` in the column `b` is no finite number that 32 bits can hold",
        ),
        ("a,b,kind\n1,2,x\n3,y\n", "t.csv: cannot be read as CSV"),
        ("a,b,kind\n", "t.csv: has no rows"),
        ("a,b,sort\n1,2,x\n", "asks for the column `kind`, which does not exist"),
        ("a,a,kind\n1,2,x\n", "t.csv: has two columns that are called `a`"),
        ("a,b,kind\n1,2,x\n3,4,\n", "t.csv:3: the class in the column `kind` is empty"),
        ("<html>not a table</html>", "t.csv: is an HTML page"),
    ] {
        bench.write("t.csv", csv);
        bench.refuses("table.toml", 3, &[part]);
    }
    bench.write("t.csv", b"a,b,kind\n1,2,\xe9t\xe9\n");
    bench.refuses("table.toml", 3, &["t.csv: cannot be read as CSV", "save the file as UTF-8"]);
}

#[test]
fn a_table_needs_to_know_what_is_predicted_and_each_feature_once() {
    let bench = Bench::new();
    bench.write("t.csv", "a,b,kind\n1,2,x\n3,4,y\n");
    for (class, parts) in [
        ("", ["nothing says which column is to be predicted", "`dataset.class`"]),
        ("class = \"kind\"\nfeatures = [\"a\", \"a\"]", ["`dataset.features` has `a` twice", "t.csv"]),
        ("class = \"kind\"\nclasses = [\"x\", \"x\"]", ["`dataset.classes` has `x` twice", "t.csv"]),
    ] {
        let text = changed("name = \"wine\"\nvalidation = 20", &format!("csv = \"t.csv\"\n{class}"))
            .replace("input = [13]", "input = [2]")
            .replace("units = 3", "units = 2");
        bench.write("table.toml", text);
        bench.refuses("table.toml", 3, &parts);
    }
}

#[test]
fn splits_larger_than_the_data_are_refused() {
    let refused = |from: &str, to: &str, part: &str| {
        let bench = Bench::new();
        bench.write("wine.toml", changed(from, to));
        bench.refuses("wine.toml", 3, &["wine: ", part]);
    };
    refused(
        "validation = 20",
        "validation = 179",
        "`dataset.validation` asks for 179 samples, but only 178 are there",
    );
    refused("validation = 20", "split = { first = 200 }", "`dataset.split.first` asks for 200");
    refused("validation = 20", "split = { test = 200 }", "`dataset.split.test` asks for 200");
    refused("validation = 20", "split = { folds = 200, fold = 0 }", "`dataset.split.folds` asks for 200");
    refused("validation = 20", "train = 200", "`dataset.train` asks for 200");
    refused("validation = 20", "rows = [1, 200]", "`dataset.rows` ends at row 200, but there are 178");
    refused("validation = 20", "validation = 178", "leaves no sample for training");
    refused("validation = 20", "validation = 0.001", "`dataset.validation` asks for a part");
    refused("validation = 20", "split = { test = 0.001 }", "`dataset.split.test` asks for a part");
    refused("validation = 20", "split = { first = 178 }", "`dataset.split.first` asks for a part");
}

#[test]
fn a_split_that_is_too_large_points_at_its_key_and_its_advice_is_good() {
    let bench = Bench::new();
    for (split, advice) in
        [("{ first = 200 }", "write a number up to 178\n"), ("{ test = 200 }", "below 178, or a part as 0.2")]
    {
        bench.write("wine.toml", changed("validation = 20", &format!("split = {split}")));
        bench.refuses("wine.toml", 3, &["wine.toml:5:", advice]);
    }
}

#[test]
fn a_full_size_set_that_is_not_there_says_how_to_get_it() {
    let bench = Bench::new();
    bench.write("mnist.toml", VALID.replace("name = \"wine\"", "name = \"mnist\"\nfolder = \"nowhere\""));
    bench.refuses(
        "mnist.toml",
        3,
        &["mnist: is not there: looked in nowhere", "train-images-idx3-ubyte", "EXPERIMENTS_DATA"],
    );
}

#[test]
fn a_full_size_set_that_is_another_one_is_refused_by_its_digest() {
    let bench = Bench::new();
    bench.write("mnist.toml", VALID.replace("name = \"wine\"", "name = \"mnist\"\nfolder = \".\""));
    for file in [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ] {
        bench.write(file, idx(&[1, 1], &[0]));
    }
    bench.refuses(
        "mnist.toml",
        3,
        &["train-images-idx3-ubyte: is not the published file", "ba891046e6505d7a"],
    );
}

#[test]
fn pictures_of_different_sizes_are_refused() {
    let bench = Bench::new();
    bench.write(
        "images.toml",
        changed("name = \"wine\"\nvalidation = 20", "images = \"pictures\"")
            .replace("input = [13]", "input = [4]"),
    );
    bench.refuses("images.toml", 3, &["pictures: "]);
    for class in ["cat", "dog"] {
        std::fs::create_dir_all(bench.path("pictures").join(class)).unwrap();
    }
    bench.refuses("images.toml", 3, &["cat: holds no pictures"]);
    bench.write("pictures/cat/1.png", "not a picture");
    bench.refuses("images.toml", 3, &["1.png: cannot be read as a picture"]);
    image::GrayImage::new(2, 2).save(bench.path("pictures/cat/1.png")).unwrap();
    bench.refuses("images.toml", 3, &["dog: holds no pictures"]);
    image::GrayImage::new(3, 2).save(bench.path("pictures/dog/2.png")).unwrap();
    bench.refuses("images.toml", 3, &["2.png: has 2 x 3 pixels, the first picture has 2 x 2"]);
}

#[test]
fn an_unknown_set_is_a_mistake_in_the_file() {
    let bench = Bench::new();
    bench.write("wine.toml", changed("name = \"wine\"", "name = \"wines\""));
    bench.refuses("wine.toml", 2, &["wine.toml:4:8", "did you mean `wine`?"]);
}
