//! The payments of a shop.
