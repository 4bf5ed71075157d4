;; Fails with a reason that is no text.

(func (export "setup") (param i32 i32 i32 i32 i64) (result i32)
  (i32.store8 (i32.const 16) (i32.const 1))
  (i32.store (i32.const 24) (i32.const 100))
  (i32.store (i32.const 28) (i32.const 4))
  (i32.store (i32.const 100) (i32.const -1))
  (i32.const 16))
