namespace Platform.Seeder.Generation;

/// <summary>A real city, so that stores are on land and addresses look right.</summary>
/// <param name="Name">The name.</param>
/// <param name="Code">What the codes of its stores begin with; unique in a country's list.</param>
/// <param name="PostalCode">A postal code of the city: <c>#</c> stands for a digit, <c>@</c> for a letter.</param>
/// <param name="DialCode">The telephone area code, as a pattern too.</param>
/// <param name="Longitude">Degrees east of the centre.</param>
/// <param name="Latitude">Degrees north of the centre.</param>
internal sealed record City(string Name, string Code, string PostalCode, string DialCode, double Longitude, double Latitude);
