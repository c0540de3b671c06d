bb57 = 1 - /*é*/ null ? {
} : /*é*/ 1e3 * true /* end */
x "" {

} /* end */