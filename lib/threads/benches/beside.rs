//! Two threads with some milliseconds of work each, from the start of the second one to the end of both: as long as one
//! thread alone where they run beside each other, twice as long where they share a processor. `cargo bench -p threads`.

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

/// Measures after a pause, as in a program that has just been started: else the system has balanced the load before.
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
