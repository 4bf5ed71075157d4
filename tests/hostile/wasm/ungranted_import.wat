;; Wants the file system, which nobody grants.
(component
  (import "wasi:filesystem/preopens@0.2.0" (instance $files
    (export "get-directories" (func (result (list u32))))))
)
