namespace Platform.Api.Contracts;

/// <summary>A store near a place.</summary>
/// <param name="Id">The store's id.</param>
/// <param name="Code">The store's short name.</param>
/// <param name="Name">The name shown to people.</param>
/// <param name="Street">Street and number.</param>
/// <param name="City">City or town.</param>
/// <param name="PostalCode">Postal code.</param>
/// <param name="Country">An ISO 3166-1 alpha-2 code.</param>
/// <param name="Lon">Longitude in degrees (WGS 84).</param>
/// <param name="Lat">Latitude in degrees (WGS 84).</param>
/// <param name="DistanceKm">The distance from the place asked for, in kilometres, to the metre.</param>
public sealed record NearStore(
    string Id,
    string Code,
    string Name,
    string Street,
    string City,
    string PostalCode,
    string Country,
    double Lon,
    double Lat,
    double DistanceKm);
