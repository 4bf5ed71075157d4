;; Says that its report lies where it has no memory.

(func (export "execute") (param i64) (result i32) (i32.const -16))
