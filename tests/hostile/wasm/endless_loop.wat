;; Works and works.

(func (export "execute") (param i64) (result i32)
  (loop $again (br $again))
  unreachable)
