
é74 = "" != module[0].*.id

