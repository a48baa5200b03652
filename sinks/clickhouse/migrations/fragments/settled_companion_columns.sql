{{include:contact_columns}},
    arraySort(arrayDistinct(arrayMap(venue -> transform(venue, cell_of_venue.1, cell_of_venue.2, ''), venues))) AS cells
