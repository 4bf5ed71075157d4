;; Wants the folders of WASI, in another form than WASI has.
(component
  (import "wasi:filesystem/preopens@0.2.0" (instance $files
    (export "get-directories" (func (result (list u32))))))
)
