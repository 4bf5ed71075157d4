;; Traps in the timed call.

(func (export "execute") (param i64) (result i32) unreachable)
