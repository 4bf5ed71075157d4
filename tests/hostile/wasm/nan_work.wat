;; Reports work that is no number.

(func (export "execute") (param i64) (result i32)
  (f64.store (i32.const 40) (f64.const nan))
  (i32.const 32))
