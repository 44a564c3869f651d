package web

// people are the pages of joining, of signing in by mail, and of who is signed in.
func (s *site) people(mux *routes) {
	if s.Subscribe == nil {
		return
	}
	s.passkeyPages(mux)
	s.directoryPages(mux)
	mux.HandleFunc("POST /-/login", s.page(s.requestLogin))
	mux.HandleFunc("GET /-/login/code", s.page(s.codeForm))
	mux.HandleFunc("POST /-/login/code", s.page(s.enterCode))
	mux.HandleFunc("GET /-/join/{list}", s.page(s.joinForm))
	mux.HandleFunc("POST /-/join/{list}", s.page(s.join))
	mux.HandleFunc("GET /-/join/{list}/{next}", s.page(s.joinNext))
	mux.HandleFunc("GET /-/my", s.forPeople(s.my))
	mux.HandleFunc("GET /-/my/list/{list}", s.forPeople(s.myList))
	mux.HandleFunc("POST /-/my/list/{list}", s.forPeople(s.setMember))
	mux.HandleFunc("POST /-/my/list/{list}/leave", s.forPeople(s.leaveList))
	mux.HandleFunc("GET /-/my/leave", s.forPeople(s.leaveAllForm))
	mux.HandleFunc("POST /-/my/leave", s.forPeople(s.leaveAll))
	mux.HandleFunc("GET /-/my/posts", s.forPeople(s.myPosts))
	mux.HandleFunc("POST /-/my/posts", s.forPeople(s.changePost))
	mux.HandleFunc("GET /-/my/address", s.forPeople(s.addressForm))
	mux.HandleFunc("POST /-/my/address", s.forPeople(s.changeAddress))
	mux.HandleFunc("POST /-/my/list/{list}/move", s.forPeople(s.moveMember))
	mux.HandleFunc("GET "+addressesPath, s.forPeople(s.myAddresses))
	mux.HandleFunc("POST "+addressesPath, s.forPeople(s.changeAddresses))
	mux.HandleFunc("GET "+addressesPath+"/confirm/{token}", s.forPeople(s.addAddressForm))
	mux.HandleFunc("POST "+addressesPath+"/confirm/{token}", s.forPeople(s.addAddress))
	mux.HandleFunc("GET /-/my/export", s.forPeople(s.export))
	mux.HandleFunc("GET /-/my/erase", s.forPeople(s.eraseForm))
	mux.HandleFunc("POST /-/my/erase", s.forPeople(s.erase))
	mux.HandleFunc("POST /-/my/sessions", s.forPeople(s.endSessions))
}
