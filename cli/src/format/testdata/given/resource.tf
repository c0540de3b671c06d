resource "aws_instance" "web" {
ami           ="ami-1"
  instance_type= "t3"

  tags={
    Name="x"
      Env =var.env
  }
  dynamic "ebs" {
    for_each=var.disks
    content {
      size=ebs.value
      type ="gp3" # cheap
    }
  }
  lifecycle { 
    ignore_changes=[tags,ami]
    precondition {
      condition=length(var.disks)>0&&var.env!=""
      error_message="needs ${ length(var.disks) } disks"
    }
  }
}
