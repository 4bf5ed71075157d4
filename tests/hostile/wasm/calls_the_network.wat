;; Opens a network, which run times import and no plugin has.
(func (export "setup") (param i32 i32 i32 i32 i64) (result i32)
  (drop (call $network))
  (i32.const 16))
