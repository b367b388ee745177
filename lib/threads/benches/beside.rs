//! Two threads with five milliseconds of work each, from the start of the second one to the end of both: five where
//! they run beside each other, ten where they share a processor. `cargo bench -p threads`.

use std::{hint::black_box, thread, time::Duration};

use divan::Bencher;

fn main() {
    divan::main();
}

fn work() {
    let mut sum = 0_u64;
    for number in 0..10_000_000 {
        sum = sum.rotate_left(5) ^ black_box(number);
    }
    black_box(sum);
}

/// Whoever has slept is not owed any time by the system, and other threads not by it.
fn rested(bencher: Bencher<'_, '_>, both: impl Fn() + Sync) {
    bencher.with_inputs(|| thread::sleep(Duration::from_millis(20))).bench_values(|()| both());
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn one_thread(bencher: Bencher<'_, '_>) {
    rested(bencher, work);
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn as_the_system_places_them(bencher: Bencher<'_, '_>) {
    rested(bencher, || {
        thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
    });
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn placed(bencher: Bencher<'_, '_>) {
    rested(bencher, || {
        thread::scope(|scope| {
            threads::spawn(scope, work);
            work();
        });
    });
}
