;; A component as it was written for version 1.0.0 of the WIT package `dyno:plugin`, which lies beside it as it was on
;; 26 November 2026.
(component
  (import "dyno:plugin/types@1.0.0" (instance $types
    (type $value_ (variant (case "integer" s64) (case "float" f64) (case "flag" bool) (case "text" string)))
    (export "param-value" (type $value (eq $value_)))
    (type $param_ (record (field "name" string) (field "value" $value)))
    (export "param" (type (eq $param_)))
    (type $failure_ (variant (case "error" string) (case "skipped" string)))
    (export "failure" (type (eq $failure_)))
    (type $report_ (record
      (field "items" f64) (field "bytes" f64) (field "flop" f64) (field "checksum" u64)))
    (export "report" (type (eq $report_)))
    (type $sample_ (record (field "iterations" u64) (field "wall-ns" u64)))
    (export "sample" (type (eq $sample_)))
  ))
  (alias export $types "param" (type $param))
  (alias export $types "failure" (type $failure))
  (alias export $types "report" (type $report))
  (alias export $types "sample" (type $sample))

  (core module $code
    ;; Results lie at 16 (`result<_, failure>`, all zero: ok) and at 32 (`result<report, failure>`: items at 40).

    (memory (export "memory") 16)

    (global $free (export "free") (mut i32) (i32.const 4096))

    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      ;; Samples come once per launch, so that 1 MiB lasts; start anew before it does not.
      (if (i32.gt_u (global.get $free) (i32.const 1000000))
        (then (local.set $at (i32.const 4096)) (global.set $free (i32.add (i32.const 4096) (local.get 3)))))
      (local.get $at))

    (func (export "setup") (param i32 i32 i32 i32 i64) (result i32) (i32.const 16))

    (func (export "verify") (result i32) (i32.const 16))

    (func (export "prepare") (param i64) (result i32) (i32.const 16))

    (func (export "execute") (param i64) (result i32)
      (local $i i64) (local $sum i64)
      (loop $next
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 6364136223846793005)) (local.get $i)))
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br_if $next (i64.lt_u (local.get $i) (local.get 0))))
      (f64.store (i32.const 40) (f64.convert_i64_u (local.get 0)))
      (i64.store (i32.const 64) (local.get $sum))
      (i32.const 32))

    (func (export "process-results") (param i32 i32) (result i32) (i32.const 16))

    (func (export "cleanup"))
  )
  (core instance $it (instantiate $code))
  (alias core export $it "memory" (core memory $memory))
  (alias core export $it "cabi_realloc" (core func $realloc))

  (func $setup (param "benchmark" string) (param "params" (list $param)) (param "seed" u64)
    (result (result (error $failure)))
    (canon lift (core func $it "setup") (memory $memory) (realloc $realloc)))
  (func $verify (result (result (error $failure)))
    (canon lift (core func $it "verify") (memory $memory)))
  (func $prepare (param "iterations" u64) (result (result (error $failure)))
    (canon lift (core func $it "prepare") (memory $memory)))
  (func $execute (param "iterations" u64) (result (result $report (error $failure)))
    (canon lift (core func $it "execute") (memory $memory)))
  (func $process_results (param "samples" (list $sample)) (result (result (error $failure)))
    (canon lift (core func $it "process-results") (memory $memory) (realloc $realloc)))
  (func $cleanup (canon lift (core func $it "cleanup")))

  (instance $lifecycle
    (export "setup" (func $setup))
    (export "verify" (func $verify))
    (export "prepare" (func $prepare))
    (export "execute" (func $execute))
    (export "process-results" (func $process_results))
    (export "cleanup" (func $cleanup))
  )
  (export "dyno:plugin/lifecycle@1.0.0" (instance $lifecycle))
)
