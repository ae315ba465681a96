//! Libraries that are no crates, opened where they are installed.
//!
//! `benches/peers/install.sh` puts them into the folder that `PEERS` names, `/opt/peers` without it. Threads are
//! set through each library's own call; oneDNN's TBB counts the CPUs that the process may run on.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;

use benches::{Number, Product, Shape};
use libloading::Library;
use libloading::os::unix;

/// A library that may be there.
pub(crate) struct Foreign {
    /// Its name in the tables.
    pub(crate) name: &'static str,
    /// As it tells it itself; `None` if it is absent.
    pub(crate) opened: Option<Opened>,
}

/// A library that is there.
pub(crate) struct Opened {
    pub(crate) version: String,
    calls: Calls,
}

type Cblas<T> = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
    T,
    *const T,
    c_int,
    *const T,
    c_int,
    T,
    *mut T,
    c_int,
);
type Dnnl = unsafe extern "C" fn(
    c_char,
    c_char,
    i64,
    i64,
    i64,
    f32,
    *const f32,
    i64,
    *const f32,
    i64,
    f32,
    *mut f32,
    i64,
) -> c_int;
type XsmmKernel = unsafe extern "C" fn(*const f32, *const f32, *mut f32);
type XsmmDispatch = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    *const c_int,
    *const c_int,
    *const c_int,
    *const f32,
    *const f32,
    *const c_int,
    *const c_int,
) -> Option<XsmmKernel>;

enum Calls {
    Cblas { single: Cblas<f32>, double: Cblas<f64> },
    Dnnl(Dnnl),
    Xsmm(XsmmDispatch),
}

/// libxsmm is one that compiles small products; for larger ones it asks a BLAS.
const LARGEST_FOR_XSMM: usize = 256 * 256 * 256;

/// An element type that a foreign call may take.
pub(crate) trait Foreigner: Number {
    /// Multiplies if the library has a call for this type and shape.
    fn multiply(calls: &Opened, product: &mut Product<Self>) -> bool;
}

impl Foreigner for f32 {
    fn multiply(opened: &Opened, product: &mut Product<f32>) -> bool {
        match opened.calls {
            Calls::Cblas { single, .. } => cblas(single, 1.0, 0.0, product),
            Calls::Dnnl(call) => dnnl(call, product),
            Calls::Xsmm(dispatch) => xsmm(dispatch, product),
        }
    }
}

impl Foreigner for f64 {
    fn multiply(opened: &Opened, product: &mut Product<f64>) -> bool {
        match opened.calls {
            Calls::Cblas { double, .. } => cblas(double, 1.0, 0.0, product),
            Calls::Dnnl(_) | Calls::Xsmm(_) => false,
        }
    }
}

/// Rows of A and B are as long as they are stored: their leading dimensions.
fn leading(shape: Shape) -> [usize; 3] {
    let Shape { m, n, k, trans_a, trans_b } = shape;
    [if trans_a { m } else { k }, if trans_b { k } else { n }, n]
}

fn cblas<T: Number>(call: Cblas<T>, one: T, zero: T, product: &mut Product<T>) -> bool {
    const ROW_MAJOR: c_int = 101;
    let form = |transposed: bool| if transposed { 112 } else { 111 };
    let Shape { m, n, k, trans_a, trans_b } = product.shape;
    let [lda, ldb, ldc] = leading(product.shape).map(|x| x as c_int);
    let (a, b, c) = (product.a.as_ptr(), product.b.as_ptr(), product.c.as_mut_ptr());
    // SAFETY: sizes and leading dimensions describe the three vectors, and the call has CBLAS' signature.
    unsafe {
        call(
            ROW_MAJOR,
            form(trans_a),
            form(trans_b),
            m as c_int,
            n as c_int,
            k as c_int,
            one,
            a,
            lda,
            b,
            ldb,
            zero,
            c,
            ldc,
        );
    }
    true
}

fn dnnl(call: Dnnl, product: &mut Product<f32>) -> bool {
    let form = |transposed: bool| (if transposed { b'T' } else { b'N' }) as c_char;
    let Shape { m, n, k, trans_a, trans_b } = product.shape;
    let [lda, ldb, ldc] = leading(product.shape).map(|x| x as i64);
    let (a, b, c) = (product.a.as_ptr(), product.b.as_ptr(), product.c.as_mut_ptr());
    let (m, n, k) = (m as i64, n as i64, k as i64);
    // SAFETY: sizes and leading dimensions describe the three vectors; oneDNN's sgemm is row-major.
    let status = unsafe { call(form(trans_a), form(trans_b), m, n, k, 1.0, a, lda, b, ldb, 0.0, c, ldc) };
    status == 0
}

/// Column-major: our C = A B is its C' = B' A'.
fn xsmm(dispatch: XsmmDispatch, product: &mut Product<f32>) -> bool {
    let Shape { m, n, k, trans_a, trans_b } = product.shape;
    if m * n * k > LARGEST_FOR_XSMM {
        return false;
    }
    let [lda, ldb, ldc] = leading(product.shape).map(|x| x as c_int);
    let flags: c_int = c_int::from(trans_b) | (c_int::from(trans_a) << 1);
    let (one, zero) = (1.0_f32, 0.0_f32);
    let (m, n, k) = (m as c_int, n as c_int, k as c_int);
    // SAFETY: the pointers live through the call; no prefetch is asked for.
    let kernel = unsafe { dispatch(n, m, k, &ldb, &lda, &ldc, &one, &zero, &flags, std::ptr::null()) };
    let Some(kernel) = kernel else { return false };
    // SAFETY: the kernel was made for these sizes and leading dimensions.
    unsafe { kernel(product.b.as_ptr(), product.a.as_ptr(), product.c.as_mut_ptr()) };
    true
}

/// The folder of the libraries.
fn folder() -> PathBuf {
    std::env::var_os("PEERS").map_or_else(|| PathBuf::from("/opt/peers"), PathBuf::from)
}

/// Opens the first file that there is, after what it depends on; it stays open for good.
fn open(dependencies: &[&str], files: &[&str]) -> Option<&'static Library> {
    let open = |name: &str, flags: c_int| {
        // SAFETY: these libraries' initialisers have no conditions; that they are well-behaved is what
        // whoever installed them trusts in.
        unsafe { unix::Library::open(Some(folder().join(name)), flags) }
    };
    for dependency in dependencies {
        if let Ok(library) = open(dependency, unix::RTLD_NOW | unix::RTLD_GLOBAL) {
            std::mem::forget(library);
        }
    }
    let library = files.iter().find_map(|file| open(file, unix::RTLD_NOW | unix::RTLD_LOCAL).ok())?;
    Some(Box::leak(Box::new(Library::from(library))))
}

/// A function of the library.
fn function<F: Copy>(library: &'static Library, name: &str) -> Option<F> {
    // SAFETY: every caller names the signature that the library's header gives.
    unsafe { library.get::<F>(name.as_bytes()).ok().map(|found| *found) }
}

type TakesCount = unsafe extern "C" fn(c_int);
type GivesText = unsafe extern "C" fn() -> *const c_char;

fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return "?".into();
    }
    // SAFETY: the libraries return strings that end with a zero and live for good.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// The first word of `said` that begins with a digit: `OpenBLAS 0.3.34 DYNAMIC_ARCH` has `0.3.34`.
fn number(said: &str) -> String {
    let word = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    word.unwrap_or(said).to_owned()
}

fn openblas(prefix: &str, files: &[&str], threads: usize) -> Option<Opened> {
    let library = open(&[], files)?;
    let named = |name: &str| format!("{prefix}{name}");
    let set: TakesCount = function(library, &named("openblas_set_num_threads"))?;
    let config: GivesText = function(library, &named("openblas_get_config"))?;
    // SAFETY: the signatures are those of cblas.h.
    let version = unsafe {
        set(threads as c_int);
        number(&text(config()))
    };
    let (single, double) =
        (function(library, &named("cblas_sgemm"))?, function(library, &named("cblas_dgemm"))?);
    Some(Opened { version, calls: Calls::Cblas { single, double } })
}

fn blis(threads: usize) -> Option<Opened> {
    let library = open(&[], &["/usr/lib/x86_64-linux-gnu/blis-pthread/libblis.so.4", "lib/libblis.so.4"])?;
    type TakesLong = unsafe extern "C" fn(i64);
    let set: TakesLong = function(library, "bli_thread_set_num_threads")?;
    let version: GivesText = function(library, "bli_info_get_version_str")?;
    // SAFETY: the signatures are those of blis.h.
    let version = unsafe {
        set(threads as i64);
        number(&text(version()))
    };
    let (single, double) = (function(library, "cblas_sgemm")?, function(library, "cblas_dgemm")?);
    Some(Opened { version, calls: Calls::Cblas { single, double } })
}

fn mkl(threads: usize) -> Option<Opened> {
    let library = open(&["lib/libiomp5.so"], &["lib/libmkl_rt.so.3", "lib/libmkl_rt.so.2"])?;
    let set: TakesCount = function(library, "MKL_Set_Num_Threads")?;
    type Describes = unsafe extern "C" fn(*mut c_char, c_int);
    let describe: Describes = function(library, "MKL_Get_Version_String")?;
    let mut said = [0; 256];
    // SAFETY: the signatures are those of mkl_service.h; the buffer is as long as the call is told.
    unsafe {
        set(threads as c_int);
        describe(said.as_mut_ptr(), said.len() as c_int);
    }
    let said = text(said.as_ptr());
    let version = number(said.split_once("Version").map_or(&said, |(_, rest)| rest));
    let (single, double) = (function(library, "cblas_sgemm")?, function(library, "cblas_dgemm")?);
    Some(Opened { version, calls: Calls::Cblas { single, double } })
}

fn onednn(dependencies: &[&str], files: &[&str]) -> Option<Opened> {
    #[repr(C)]
    struct Version {
        major: c_int,
        minor: c_int,
        patch: c_int,
        hash: *const c_void,
    }
    type GivesVersion = unsafe extern "C" fn() -> *const Version;
    let library = open(dependencies, files)?;
    let version: GivesVersion = function(library, "dnnl_version")?;
    // SAFETY: the signature is that of dnnl.h, and the structure begins with these fields.
    let version = unsafe { &*version() };
    let version = format!("{}.{}.{}", version.major, version.minor, version.patch);
    Some(Opened { version, calls: Calls::Dnnl(function(library, "dnnl_sgemm")?) })
}

fn libxsmm() -> Option<Opened> {
    let library = open(&[], &["lib/libxsmm-1.17.so"])?;
    let dispatch = function(library, "libxsmm_smmdispatch")?;
    Some(Opened { version: "1.17".into(), calls: Calls::Xsmm(dispatch) })
}

/// The name of the library that chooses its instructions itself.
const BLIS: &str = "BLIS";

/// All of them, those that are absent too, set to `threads` threads; without those that no switch limits to AVX2 if
/// `limited`.
pub(crate) fn all(threads: usize, limited: bool) -> Vec<Foreign> {
    let serial_only = |opened: Option<Opened>| opened.filter(|_| threads == 1);
    let debian = "/usr/lib/x86_64-linux-gnu";
    let old_openblas = format!("{debian}/openblas-pthread/libopenblas.so.0");
    let old_onednn = format!("{debian}/libdnnl.so.2");
    let wheel = "lib/python3.11/site-packages/scipy_openblas32/lib/libscipy_openblas.so";
    let entry = |name, opened| Foreign { name, opened };
    let mut all = vec![
        entry("oneDNN 3", onednn(&ONEDNN_NEEDS, &["lib/libdnnl.so.3"])),
        entry("oneDNN 2", onednn(&[], &[&old_onednn])),
        entry("OpenBLAS (wheel)", openblas("scipy_", &[wheel, "lib/libscipy_openblas.so"], threads)),
        entry("OpenBLAS (Debian)", openblas("", &[&old_openblas], threads)),
        entry(BLIS, blis(threads)),
        entry("MKL", mkl(threads)),
        // Compiled kernels of one thread.
        entry("libxsmm", serial_only(libxsmm())),
    ];
    all.retain(|library| !limited || library.name != BLIS);
    all
}

/// What the wheel's libdnnl.so asks for by bare names, in an order that can be opened.
const ONEDNN_NEEDS: [&str; 12] = [
    "lib/libimf.so",
    "lib/libintlc.so.5",
    "lib/libirng.so",
    "lib/libsvml.so",
    "lib/libhwloc.so.15",
    "lib/libumf.so.1",
    "lib/libur_loader.so.0",
    "lib/libtbb.so.12",
    "lib/libOpenCL.so.1",
    "lib/libtbbmalloc.so.2",
    "lib/libirc.so",
    "lib/libsycl.so.9",
];
