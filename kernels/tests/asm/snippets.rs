//! The reader of machine code, tried on short pieces of it.

use super::listing::{Function, called_from, functions};
use super::tiles::{Tile, tiles};
use super::{Found, Operation, complaints, loops};

/// A tile of 4 x 1 as compilers write it, with what the loop holds besides at `{}`.
fn loop_with(more: &str) -> String {
    let lines = "\
         vxorps %xmm0,%xmm0,%xmm0\n\
         vmovups (%rsi),%zmm4\n\
         vfmadd231ps (%rdi){1to16},%zmm4,%zmm0\n\
         vbroadcastss (%rdi,%r8,1),%zmm5\n\
         vfmadd231ps %zmm4,%zmm5,%zmm1\n\
         {}\
         vfmadd231ps (%rdi,%r8,2){1to16},%zmm4,%zmm2\n\
         vfmadd231ps (%rdi,%r9,1){1to16},%zmm4,%zmm3\n\
         add 0x98(%rsp),%rdi\n\
         dec %rcx\n\
         jne 1001 <f+0x1>\n\
         vmovups %zmm0,0x40(%rsp)\n\
         ret\n\
         call 2000 <core::panicking::panic_bounds_check>";
    let lines = lines.replace("{}", more);
    let numbered = lines.lines().enumerate().map(|(i, line)| format!("    {:x}:\t{line}\n", 0x1000 + i));
    let code: String = numbered.collect();
    format!("0000000000001000 <<Avx512 as Simd>::vectorize::with_features>:\n{code}\n")
}

fn read(listing: &str) -> Vec<Function> {
    functions(listing, "vectorize::with_features")
}

fn only_tile(listing: &str) -> Tile {
    let mut found = tiles(&read(listing)[0], "zmm");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn all_faults(tile: &Tile) -> Vec<&str> {
    tile.faults.iter().chain(&tile.checks).map(String::as_str).collect()
}

#[test]
fn a_clean_loop_passes() {
    let tile = only_tile(&loop_with(""));
    assert_eq!((tile.multiply_adds, tile.chains, tile.width, &*tile.element), (4, 4, 1, "ps"));
    assert!(all_faults(&tile).is_empty(), "{tile:?}");
}

#[test]
fn a_spill_a_call_and_a_check_are_caught() {
    for (more, fault) in [
        ("vmovups %zmm9,0x40(%rsp)\n", "a spill: vmovups %zmm9,0x40(%rsp)"),
        ("vmovaps %zmm9,-0x40(%rsp,%rax,1)\n", "a spill: vmovaps %zmm9,-0x40(%rsp,%rax,1)"),
        ("call 3000 <mul_add>\n", "a call: call 3000 <mul_add>"),
        ("jae 100d <f+0xd>\n", "a check: jae 100d <f+0xd>"),
        ("vfmadd213ps %zmm4,%zmm5,%zmm1\n", "a multiply-add of another form: vfmadd213ps %zmm4,%zmm5,%zmm1"),
        ("vfmadd231ps %zmm4,%zmm5,%zmm1\n", "5 multiply-adds in 4 registers"),
    ] {
        assert_eq!(all_faults(&only_tile(&loop_with(more))), [fault]);
    }
    let reload = only_tile(&loop_with("vmovups 0x40(%rsp),%zmm9\n"));
    assert_eq!(reload.faults, ["a spill: vmovups 0x40(%rsp),%zmm9"]);
}

#[test]
fn a_panic_without_a_name_is_a_check_and_an_exit_to_the_stores_is_none() {
    let table = "call *0x1(%rip)        # 5000 <_DYNAMIC+0x248>";
    let listing =
        loop_with("jae 100d <f+0xd>\n").replace("call 2000 <core::panicking::panic_bounds_check>", table);
    assert_eq!(only_tile(&listing).checks, ["a check: jae 100d <f+0xd>"]);
    assert!(all_faults(&only_tile(&loop_with("je 100b <f+0xb>\n"))).is_empty());
}

#[test]
fn rbp_is_the_stack_only_in_a_frame() {
    // Numbers on the stack are no sums.
    for more in ["vmovups %zmm9,0x40(%rbp)\n", "mov 0x40(%rsp),%rax\n"] {
        assert!(only_tile(&loop_with(more)).faults.is_empty(), "{more}");
    }
    let framed = loop_with("vmovups %zmm9,0x40(%rbp)\n").replace("vxorps %xmm0,%xmm0,%xmm0", "mov %rsp,%rbp");
    assert_eq!(only_tile(&framed).faults, ["a spill: vmovups %zmm9,0x40(%rbp)"]);
}

fn found(operation: Operation, more: &str) -> Found {
    Found { operation, level: "avx512::Avx512", tile: only_tile(&loop_with(more)) }
}

#[test]
fn a_convolution_may_check_its_slices_and_not_every_element() {
    let count = |operation, checks| {
        // Each line moves the end of the loop, and the call behind it, by one address.
        let check = format!("jae {:x} <f>\n", 0x100d + checks - 1).repeat(checks);
        let complaints = complaints(&[found(operation, &check)]);
        complaints.iter().filter(|complaint| complaint.contains("a check")).count()
    };
    assert_eq!(count(Operation::Product, 1), 1);
    assert_eq!(count(Operation::Convolution, 9), 0);
    assert_eq!(count(Operation::Convolution, 10), 10);
}

#[test]
fn a_function_belongs_to_the_module_that_calls_it() {
    let listing = "\
0000000000001000 <kernels::conv::ways::tile>:
    1000:\tjmp    2000 <vectorize::with_features>
0000000000002000 <vectorize::with_features>:
    2000:\tcall   3000 <vectorize::with_features>
0000000000003000 <vectorize::with_features>:
    3000:\tret
0000000000004000 <kernels::gemm::tile>:
    4000:\tcall   5000 <vectorize::with_features>
0000000000005000 <vectorize::with_features>:
    5000:\tret
";
    assert_eq!(called_from(listing, "kernels::conv::", "with_features"), [0x2000, 0x3000].into());
}

#[test]
fn missing_multiply_adds_are_caught() {
    let call = loop_with("").replace("vfmadd231ps", "call 3000 <mul_add> #");
    let scalar = loop_with("").replace("vfmadd231ps", "vfmadd231ss");
    for listing in [call, scalar] {
        assert!(tiles(&read(&listing)[0], "zmm").is_empty());
    }
    let missing = complaints(&[found(Operation::Product, "")]);
    assert_eq!(missing.len(), 12 + 3, "six tiles of two types, three of convolutions: {missing:?}");
    assert_eq!(missing[0], "avx512::Avx512: no tile of 8 x 3 zmm of ps");
    assert_eq!(missing[12], "avx512::Avx512: no convolution of 8 chains in zmm");
}

#[test]
fn an_inner_loop_behind_the_outer_one_is_found() {
    // The outer loop runs from 1 to 4, its inner one at 6 and 7: by addresses the outer one would be innermost.
    let listing = "\
0000000000001000 <vectorize::with_features>:
    1000:\tnop
    1001:\tjmp    1006 <f+0x6>
    1002:\tcall   3000 <memcpy>
    1003:\tdec    %rax
    1004:\tjne    1001 <f+0x1>
    1005:\tret
    1006:\tdec    %rcx
    1007:\tjne    1006 <f+0x6>
    1008:\tjmp    1002 <f+0x2>
";
    let found = loops::innermost(&read(listing)[0]);
    assert_eq!(found, [[6, 7].into()]);
}
