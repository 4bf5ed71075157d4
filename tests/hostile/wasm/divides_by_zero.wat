;; An arithmetic fault in the timed call.

(func (export "execute") (param i64) (result i32)
  (i32.div_u (i32.const 1) (i32.wrap_i64 (i64.and (local.get 0) (i64.const 0)))))
