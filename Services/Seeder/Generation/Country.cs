namespace Platform.Seeder.Generation;

/// <summary>Where a seeded tenant is at home.</summary>
/// <param name="Code">The ISO 3166-1 alpha-2 code.</param>
/// <param name="Locale">The locale of names and streets.</param>
/// <param name="NumberFirst">Whether the number stands before the street.</param>
/// <param name="Currency">The ISO 4217 code.</param>
/// <param name="TaxRate">The usual rate of value added or sales tax.</param>
/// <param name="Cities">Its cities, the largest first.</param>
internal sealed record Country(string Code, string Locale, bool NumberFirst, string Currency, decimal TaxRate, IReadOnlyList<City> Cities)
{
    public static Country Germany { get; } = new("DE", "de", NumberFirst: false, "EUR", 0.19m,
    [
        // Telephone numbers are those that the Bundesnetzagentur keeps free for fiction, where a city has some.
        new("Berlin", "BER", "10###", "+49 30 23125 ###", 13.4050, 52.5200),
        new("Hamburg", "HAM", "20###", "+49 40 66969 ###", 9.9937, 53.5511),
        new("München", "MUC", "80###", "+49 89 99998 ###", 11.5820, 48.1351),
        new("Köln", "CGN", "50###", "+49 221 4710 ###", 6.9603, 50.9375),
        new("Frankfurt am Main", "FRA", "60###", "+49 69 90009 ###", 8.6821, 50.1109),
        new("Stuttgart", "STR", "70###", "+49 171 39200 ##", 9.1829, 48.7758),
        new("Düsseldorf", "DUS", "40###", "+49 171 39200 ##", 6.7735, 51.2277),
        new("Leipzig", "LEJ", "04###", "+49 171 39200 ##", 12.3731, 51.3397),
        new("Dresden", "DRS", "01###", "+49 171 39200 ##", 13.7373, 51.0504),
        new("Hannover", "HAJ", "30###", "+49 171 39200 ##", 9.7320, 52.3759),
        new("Nürnberg", "NUE", "90###", "+49 171 39200 ##", 11.0767, 49.4521),
        new("Freiburg im Breisgau", "FRB", "79###", "+49 171 39200 ##", 7.8421, 47.9990),
    ]);

    public static Country UnitedStates { get; } = new("US", "en_US", NumberFirst: true, "USD", 0.0825m,
    [
        // 555-0100 to 555-0199 belong to nobody.
        new("New York", "NYC", "100##", "+1 212 555 01##", -73.9857, 40.7484),
        new("Los Angeles", "LAX", "900##", "+1 213 555 01##", -118.2437, 34.0522),
        new("Chicago", "CHI", "606##", "+1 312 555 01##", -87.6698, 41.8781),
        new("Houston", "HOU", "770##", "+1 713 555 01##", -95.3698, 29.7604),
        new("Phoenix", "PHX", "850##", "+1 602 555 01##", -112.0740, 33.4484),
        new("Philadelphia", "PHL", "191##", "+1 215 555 01##", -75.1652, 39.9526),
        new("Austin", "AUS", "787##", "+1 512 555 01##", -97.7431, 30.2672),
        new("Denver", "DEN", "802##", "+1 303 555 01##", -104.9903, 39.7392),
        new("Atlanta", "ATL", "303##", "+1 404 555 01##", -84.3880, 33.7490),
        new("Portland", "PDX", "972##", "+1 503 555 01##", -122.6784, 45.5152),
        new("Minneapolis", "MSP", "554##", "+1 612 555 01##", -93.2650, 44.9778),
        new("Nashville", "BNA", "372##", "+1 615 555 01##", -86.7816, 36.1627),
    ]);

    public static Country UnitedKingdom { get; } = new("GB", "en_GB", NumberFirst: true, "GBP", 0.20m,
    [
        // Numbers that Ofcom keeps free for fiction.
        new("London", "LON", "SE# #@@", "+44 20 7946 0###", -0.1276, 51.5072),
        new("Birmingham", "BIR", "B# #@@", "+44 121 496 0###", -1.8904, 52.4862),
        new("Manchester", "MAN", "M# #@@", "+44 161 496 0###", -2.2426, 53.4808),
        new("Leeds", "LEE", "LS# #@@", "+44 113 496 0###", -1.5491, 53.8008),
        new("Glasgow", "GLA", "G# #@@", "+44 141 496 0###", -4.2518, 55.8642),
        new("Sheffield", "SHE", "S# #@@", "+44 114 496 0###", -1.4701, 53.3811),
        new("Bristol", "BRS", "BS# #@@", "+44 117 496 0###", -2.5879, 51.4545),
        new("Edinburgh", "EDI", "EH# #@@", "+44 131 496 0###", -3.1883, 55.9333),
        new("Leicester", "LEI", "LE# #@@", "+44 116 496 0###", -1.1398, 52.6369),
        new("Nottingham", "NOT", "NG# #@@", "+44 115 496 0###", -1.1581, 52.9548),
        new("Reading", "RDG", "RG# #@@", "+44 118 496 0###", -0.9781, 51.4543),
        new("Cambridge", "CAM", "CB# #@@", "+44 7700 900###", 0.1218, 52.2053),
    ]);
}

/// <summary>A real city, so that stores are on land and addresses look right.</summary>
/// <param name="Name">The name.</param>
/// <param name="Code">What the codes of its stores begin with; unique in a country's list.</param>
/// <param name="PostalCode">A postal code of the city: <c>#</c> stands for a digit, <c>@</c> for a letter.</param>
/// <param name="DialCode">The telephone area code, as a pattern too.</param>
/// <param name="Longitude">Degrees east of the centre.</param>
/// <param name="Latitude">Degrees north of the centre.</param>
internal sealed record City(string Name, string Code, string PostalCode, string DialCode, double Longitude, double Latitude);
