module pkigen/matrix

go 1.27
