;; Ends itself, as a program would.
(func (export "setup") (param i32 i32 i32 i32 i64) (result i32)
  (call $exit (i32.const 0))
  (i32.const 16))
