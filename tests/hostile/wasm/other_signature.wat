;; Exports the lifecycle with functions of another type.
(component
  (core module $code (func (export "setup") (result i32) (i32.const 0)))
  (core instance $it (instantiate $code))
  (func $setup (result u32) (canon lift (core func $it "setup")))
  (instance $lifecycle
    (export "setup" (func $setup)) (export "verify" (func $setup)) (export "prepare" (func $setup))
    (export "execute" (func $setup)) (export "process-results" (func $setup)) (export "cleanup" (func $setup)))
  (export "dyno:plugin/lifecycle@1.0.0" (instance $lifecycle))
)
