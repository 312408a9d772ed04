namespace Platform.Seeder.Generation;

/// <summary>A real city, so that stores are on land.</summary>
internal sealed record City(string Name, string Country, double Longitude, double Latitude);
