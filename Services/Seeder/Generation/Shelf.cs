namespace Platform.Seeder.Generation;

/// <summary>A leaf of the category tree, and what its products are made up of.</summary>
/// <param name="Name">The category.</param>
/// <param name="Things">What is sold.</param>
/// <param name="Materials">What it is made of, or how it looks.</param>
/// <param name="Purposes">What it is for.</param>
/// <param name="Cheapest">The least price, in whole units of the currency.</param>
/// <param name="Dearest">The highest price.</param>
internal sealed record Shelf(
    string Name, IReadOnlyList<string> Things, IReadOnlyList<string> Materials, IReadOnlyList<string> Purposes, int Cheapest, int Dearest);
