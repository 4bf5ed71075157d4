;; What the WASM plugins of the hostile corpus share: a component of the world `dyno:plugin/benchmark@1.0.0` around a
;; core module. A file that is only fields of a core module is put in the place of `@FIELDS@`, together with those
;; functions of `good.wat` that it does not export itself. A file that is a whole component or module stands alone.
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

  ;; What run times import unasked: one function that is offered, and one that is not. Only faults call them.
  (import "wasi:cli/exit@0.2.3" (instance $exit (export "exit" (func (param "status" (result))))))
  (import "wasi:sockets/instance-network@0.2.3" (instance $sockets
    (export "network" (type $network (sub resource)))
    (export "instance-network" (func (result (own $network))))
  ))
  (core func $exit_ (canon lower (func $exit "exit")))
  (core func $network_ (canon lower (func $sockets "instance-network")))
  (core instance $host (export "exit" (func $exit_)) (export "network" (func $network_)))

  (core module $code
    (import "host" "exit" (func $exit (param i32)))
    (import "host" "network" (func $network (result i32)))
@FIELDS@
  )
  (core instance $it (instantiate $code (with "host" (instance $host))))
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
