;; Reads where it has no memory.

(func (export "execute") (param i64) (result i32)
  (drop (i32.load (i32.const -8)))
  (i32.const 32))
