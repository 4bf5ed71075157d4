;; A core module where a component is expected.
(module (func (export "execute") (param i64) (result i32) (i32.const 0)))
