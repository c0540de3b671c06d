a {
}
b {

}
c {
  # x
}
d {

}
