//! Tells the benchmark for which processor it is built.
fn main() {
    println!("cargo:rustc-env=LCTR_BENCH_ARCH={}", std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default());
    println!("cargo:rerun-if-changed=build.rs");
}
