use kernels::conv::{self, *};
use kernels::{Exec, Level};
use std::time::Instant;
fn best(mut f: impl FnMut(), budget: f64) -> f64 {
    f();
    let mut best = f64::MAX;
    let t0 = Instant::now();
    let mut n = 0;
    while n < 5 || (t0.elapsed().as_secs_f64() < budget) {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64());
        n += 1;
    }
    best
}
fn main() {
    let level = Level::from_env().unwrap();
    let filter = std::env::args().nth(1).unwrap_or_default();
    let peak = 117.0;
    let mut state = 1u64;
    let mut rnd = |n: usize| -> Vec<f32> {
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 40) as f32) / 16777216.0 - 0.5
            })
            .collect()
    };
    for (name, batch, c_in, side, c_out, k, p) in [
        ("64x1x28x28->6 k5p2", 64, 1, 28, 6, 5, 2),
        ("64x6x14x14->16 k5", 64, 6, 14, 16, 5, 0),
        ("64x1x28x28->32 k3p1", 64, 1, 28, 32, 3, 1),
        ("64x32x28x28->64 k3p1", 64, 32, 28, 64, 3, 1),
        ("32x64x56x56->64 k3p1", 32, 64, 56, 64, 3, 1),
        ("16x128x28x28->128 k3p1", 16, 128, 28, 128, 3, 1),
    ] {
        if !name.contains(&filter) {
            continue;
        }
        let conv = Conv2d {
            c_in,
            h_in: side,
            w_in: side,
            c_out,
            kernel: [k; 2],
            stride: [1; 2],
            padding: [p; 2],
            dilation: [1; 2],
            groups: 1,
        };
        let batch: usize = std::env::var("BATCH").map(|b| b.parse().unwrap()).unwrap_or(batch);
        let (x, w, b, gy) = (
            rnd(batch * conv.input_len()),
            rnd(conv.weight_len()),
            rnd(c_out),
            rnd(batch * conv.output_len()),
        );
        let mut y = vec![0.0; gy.len()];
        let mut gx = vec![0.0; x.len()];
        let mut gw = vec![0.0; w.len()];
        let flops = 2.0 * (batch * conv.output_len() * conv.weight_len() / c_out) as f64;
        for threads in 1..=std::env::var("THREADS").map(|b| b.parse().unwrap()).unwrap_or(1usize) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let exec = if threads == 1 { Exec::serial(level) } else { Exec::parallel(level) };
            let mut scratch = vec![0.0; conv.scratch_len(threads)];
            let (f, gwt, gi) = pool.install(|| {
                (
                    best(
                        || {
                            conv::forward(
                                exec,
                                &conv,
                                Forward {
                                    batch,
                                    x: &x,
                                    w: &w,
                                    bias: Some(&b),
                                    y: &mut y,
                                    scratch: &mut scratch,
                                },
                            )
                            .unwrap()
                        },
                        0.4,
                    ),
                    best(
                        || {
                            conv::backward_weight(
                                exec,
                                &conv,
                                BackwardWeight {
                                    batch,
                                    x: &x,
                                    grad_y: &gy,
                                    grad_w: &mut gw,
                                    scratch: &mut scratch,
                                },
                            )
                            .unwrap()
                        },
                        0.4,
                    ),
                    best(
                        || {
                            conv::backward_input(
                                exec,
                                &conv,
                                BackwardInput {
                                    batch,
                                    w: &w,
                                    grad_y: &gy,
                                    grad_x: &mut gx,
                                    scratch: &mut scratch,
                                },
                            )
                            .unwrap()
                        },
                        0.4,
                    ),
                )
            });
            let g = |t: f64| flops / t / 1e9;
            println!(
                "{name:24} {threads} thr: fwd {:6.1} ({:2.0} %)  gw {:6.1} ({:2.0} %)  gx {:6.1} ({:2.0} %)",
                g(f),
                g(f) / peak / threads as f64 * 100.,
                g(gwt),
                g(gwt) / peak / threads as f64 * 100.,
                g(gi),
                g(gi) / peak / threads as f64 * 100.
            );
        }
    }
}
