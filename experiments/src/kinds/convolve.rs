//! Kind `convolve`: a filter, and what is asked for after it, applied to an image, in f64.

use kernels::{Exec, reduce};
use models::loss::Loss;
use models::network::{ConvSpec, LayerSpec, Network, Window};

use super::network::{Pictures, shift};
use super::{Context, Stopped, digest_of};
use crate::data::picture::Picture;
use crate::outcome::{Outcome, Value};
use crate::spec::ConvolveTrial;

/// An output of at most so many values stands in the table, value by value.
const VALUES_SHOWN: usize = 128;

/// The output map: its values, its figures, its pictures; and whether it commutes with shifts.
pub(super) fn run(trial: &ConvolveTrial, context: &Context<'_>) -> Result<Outcome, Stopped> {
    let picture = context.inputs.picture(&trial.image).ok_or_else(super::no_data)?;
    let mut layers = Layers::new(trial, &picture)?;
    let output = layers.apply(context.exec, &picture.values)?;
    let mut outcome = Outcome::ok();
    let [channels, rows, columns] = layers.output;
    for (name, size) in ["channels", "rows", "columns"].into_iter().zip(layers.output) {
        outcome.metric(name, size);
    }
    report(&mut outcome, context.exec, &output);
    if trial.values && output.len() <= VALUES_SHOWN {
        for (i, &value) in output.iter().enumerate() {
            let (c, row, column) = (i / (rows * columns), i / columns % rows, i % columns);
            outcome.metric(format!("y[{c},{row},{column}]"), value);
        }
    }
    for &by in &trial.shifts {
        layers.compare_shifts(&mut outcome, context.exec, &picture, &output, by)?;
    }
    outcome.digests.push(("output".to_owned(), digest_of(&output)));
    if trial.values {
        outcome.files.push(("values.csv".to_owned(), values_csv(layers.output, &output)));
    }
    if trial.pictures {
        let mut pictures = Pictures::default();
        pictures.push("input", picture.shape, &picture.values);
        let name = &trial.filter.name;
        pictures.push(if name.is_empty() { "output" } else { name }, [channels, rows, columns], &output);
        outcome.files.push(("images.csv".to_owned(), pictures.into_csv()));
    }
    Ok(outcome)
}

/// Mean and extremes of the output.
fn report(outcome: &mut Outcome, exec: Exec, output: &[f64]) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in output {
        if value < low {
            low = value;
        }
        if value > high {
            high = value;
        }
    }
    outcome.metric("mean", reduce::mean(exec, output));
    outcome.metric("min", low);
    outcome.metric("max", high);
}

/// The convolution and what follows it, as a network without learning.
struct Layers {
    network: Network<f64>,
    output: [usize; 3],
    /// Pixels of the input from one output to the next, rows and columns.
    step: [usize; 2],
    /// Pixels of the input that an output may reach beyond its own place.
    reach: [usize; 2],
}

impl Layers {
    fn new(trial: &ConvolveTrial, picture: &Picture) -> Result<Self, Stopped> {
        let copies = trial.copies(picture.shape[0]);
        let mut layers = trial.layers(picture.shape[0]);
        let (step, reach) = geometry(&layers);
        let shown = layers.len() - 1;
        // The cost, which nothing asks for here, wants a list.
        layers.push(LayerSpec::Flatten);
        let mut network = Network::new(&picture.shape, &layers, Loss::Quadratic, 1)
            .map_err(|error| Stopped::Failed(error.to_string()))?;
        let mut parameters = trial.filter.weights.repeat(copies);
        parameters.extend(trial.filter.bias.repeat(copies));
        network.set_parameters(&parameters)?;
        let output = match network.layers().get(shown).map(|layer| layer.output.as_slice()) {
            Some(&[c, h, w]) => [c, h, w],
            Some(other) => [1, 1, other.iter().product()],
            None => picture.shape,
        };
        Ok(Self { network, output, step, reach })
    }

    fn apply(&mut self, exec: Exec, image: &[f64]) -> Result<Vec<f64>, Stopped> {
        let mut output = vec![0.0; self.network.outputs()];
        self.network.predict(exec, image, &mut output)?;
        Ok(output)
    }

    /// The part of the values that differ, and by how much at most, between "shift, then apply" and
    /// "apply, then shift".
    ///
    /// Compared away from the borders, where zeros come in. Where the shift is no multiple of the step between outputs, the output is shifted by the whole
    /// steps in it: the difference is what the layer loses.
    fn compare_shifts(
        &mut self,
        outcome: &mut Outcome,
        exec: Exec,
        picture: &Picture,
        output: &[f64],
        by: [usize; 2],
    ) -> Result<(), Stopped> {
        let mut moved = vec![0.0; picture.values.len()];
        let plane = |shape: [usize; 3]| shape.iter().product::<usize>();
        debug_assert_eq!(plane(picture.shape), moved.len());
        shift(picture.shape, by.map(|b| b as i64), &picture.values, &mut moved);
        let shifted_first = self.apply(exec, &moved)?;
        let mut shifted_last = vec![0.0; output.len()];
        let steps = [by[0] / self.step[0], by[1] / self.step[1]];
        shift(self.output, steps.map(|s| s as i64), output, &mut shifted_last);
        let margin: [usize; 2] =
            [0, 1].map(|axis| (by[axis] + self.reach[axis]).div_ceil(self.step[axis]) + 1);
        let [channels, rows, columns] = self.output;
        let (mut compared, mut differing, mut largest) = (0_u64, 0_u64, 0.0);
        for c in 0..channels {
            for row in margin[0]..rows.saturating_sub(margin[0]) {
                for column in margin[1]..columns.saturating_sub(margin[1]) {
                    let at = (c * rows + row) * columns + column;
                    let difference = (shifted_first[at] - shifted_last[at]).abs();
                    compared += 1;
                    differing += u64::from(difference > 0.0);
                    if difference > largest {
                        largest = difference;
                    }
                }
            }
        }
        let name = format!("shift[{},{}]", by[0], by[1]);
        if compared > 0 {
            outcome.metric(format!("{name}.differing"), differing as f64 / compared as f64);
        }
        outcome.metric(format!("{name}.max_difference"), largest);
        Ok(())
    }
}

/// The step between outputs and the reach of an output, in pixels of the input.
fn geometry(layers: &[LayerSpec]) -> ([usize; 2], [usize; 2]) {
    let (mut step, mut reach) = ([1, 1], [0, 0]);
    for layer in layers {
        let (kernel, stride, dilation, padding) = match *layer {
            LayerSpec::Conv2d(ConvSpec { kernel, stride, dilation, padding, .. }) => {
                (kernel, stride, dilation, padding)
            }
            LayerSpec::MaxPool2d(Window { kernel, stride, padding })
            | LayerSpec::AveragePool2d(Window { kernel, stride, padding }) => {
                (kernel, stride, [1, 1], padding)
            }
            _ => continue,
        };
        for axis in 0..2 {
            reach[axis] += ((kernel[axis] - 1) * dilation[axis] + padding[axis]) * step[axis];
            step[axis] *= stride[axis];
        }
    }
    (step, reach)
}

/// `channel,row,column,value`
fn values_csv([_, rows, columns]: [usize; 3], output: &[f64]) -> Vec<u8> {
    let mut text = "channel,row,column,value\n".to_owned();
    for (i, &value) in output.iter().enumerate() {
        let (c, row, column) = (i / (rows * columns), i / columns % rows, i % columns);
        text += &format!("{c},{row},{column},{}\n", Value::Real(value));
    }
    text.into_bytes()
}
