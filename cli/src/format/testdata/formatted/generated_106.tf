//a line 
long_name58 = {} // end
# a line
resource "bare" {
}             # end
a98 = var[-1] // end
