;; Wants something that nobody offers.
(component
  (import "their:own/registry@1.0.0" (instance $registry (export "find" (func (result (list u32))))))
)
