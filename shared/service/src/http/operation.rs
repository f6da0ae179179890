//! Operations: what a route or a direct event asks a function for. Each function has one enum of
//! them, made by [`operations!`](crate::operations).

/// Makes the enum of a function's operations.
///
/// Each line: variant, name of the `operation` member (`None` where it cannot be invoked directly), key
/// of its route in the API (`None` where it has none).
#[macro_export]
macro_rules! operations {
    ($(
        $(#[$doc:meta])+
        $variant:ident: $name:expr, $route:expr;
    )+) => {
        /// What this function can be asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $($(#[$doc])+ $variant,)+
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the `operation` member of a direct event.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The key of its route in the API, as `POST /path`.
            #[must_use]
            pub const fn route(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => $route,)+
                }
            }

            /// The operation that a request through the API asks for, by its route.
            ///
            /// # Errors
            ///
            /// An invalid request by a route that is none of this function's.
            pub fn of_request(
                request: &$crate::http::ApiRequest,
            ) -> Result<Self, $crate::http::Problem> {
                request.operation(Self::ALL, Self::route)
            }

            /// The operation that the `operation` member of a direct event names, if it has one.
            ///
            /// # Errors
            ///
            /// An invalid request for any other name.
            pub fn of_fields(
                fields: &$crate::http::Fields,
            ) -> Result<Option<Self>, $crate::http::Problem> {
                fields.optional_text("operation", |name| {
                    let mut all = Self::ALL.iter().copied();
                    all.find(|operation| operation.name() == Some(name))
                        .ok_or(pay_core::domain::OutOfRange { what: "operation" })
                })
            }
        }
    };
}
