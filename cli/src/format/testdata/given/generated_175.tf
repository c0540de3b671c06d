	dynamic{ # why
}
	é57=2.5/* end */
resource "é"	{
      each-key63  /* c */=/* c */local.é	&&"text%{~ if 1e3}yes%{else}no%{endif}% "// end
      bb70 = local.é  - [{ },  ]
  }