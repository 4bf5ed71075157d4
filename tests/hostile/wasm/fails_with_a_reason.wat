;; Fails as it should: the reason must arrive.

(data (i32.const 100) "the moon is in the wrong phase")

(func (export "setup") (param i32 i32 i32 i32 i64) (result i32)
  (i32.store8 (i32.const 16) (i32.const 1))
  (i32.store (i32.const 24) (i32.const 100))
  (i32.store (i32.const 28) (i32.const 30))
  (i32.const 16))
