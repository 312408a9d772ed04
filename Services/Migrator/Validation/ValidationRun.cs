using System.Globalization;
using Platform.Data.Catalogue;
using Platform.Jobs.Progress;

namespace Platform.Migrator.Validation;

/// <summary>Validates collections one after the other.</summary>
/// <param name="scan">Reads them.</param>
/// <param name="file">Takes every violation; null for nobody.</param>
/// <param name="path">The file's name, for the result.</param>
/// <param name="examplesPerCollection">How many violations of a collection the result shows.</param>
internal sealed class ValidationRun(CollectionScan scan, FixReport? file, string? path, int examplesPerCollection)
{
    public async Task<ValidationReport> RunAsync(
        IReadOnlyList<CollectionDefinition> collections, IJobProgress progress, CancellationToken cancellationToken)
    {
        var results = new List<ScanResult>();
        var examples = new List<ValidationExample>();
        await progress.RunAsync(async () =>
        {
            foreach (var collection in collections)
            {
                results.Add(await RunAsync(collection, examples, progress, cancellationToken));
            }
        });
        return new ValidationReport(results.TrueForAll(result => result.Violating == 0), results, examples, path);
    }

    private async Task<ScanResult> RunAsync(
        CollectionDefinition collection, List<ValidationExample> examples, IJobProgress progress, CancellationToken cancellationToken)
    {
        var shown = 0;
        var expected = await scan.EstimateAsync(collection, cancellationToken);
        var result = await scan.RunAsync(
            collection,
            async (id, violations) =>
            {
                foreach (var violation in violations.Take(examplesPerCollection - shown))
                {
                    examples.Add(new ValidationExample(collection.Name, id.ToString() ?? "", violation.Pointer, violation.Code, violation.Detail));
                    shown++;
                }

                if (file is not null)
                {
                    await file.WriteAsync(collection.Name, id, violations, cancellationToken);
                }
            },
            read => progress.Report(collection.Name, read, expected),
            cancellationToken);
        progress.Finish(
            collection.Name,
            result.Documents,
            result.Violating == 0 ? "all obey" : string.Create(CultureInfo.InvariantCulture, $"{result.Violating:N0} break rules"));
        return result;
    }
}

/// <summary>What a validation of a database found.</summary>
/// <param name="Valid">Whether all documents obey.</param>
/// <param name="Collections">Each collection that was read.</param>
/// <param name="Examples">The first violations, a few per collection.</param>
/// <param name="FixReport">The file with all violations; null when none was asked for.</param>
internal sealed record ValidationReport(
    bool Valid, IReadOnlyList<ScanResult> Collections, IReadOnlyList<ValidationExample> Examples, string? FixReport);

/// <summary>One violation, for people.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Id">The document's id.</param>
/// <param name="Pointer">The place in the document, as a JSON pointer.</param>
/// <param name="Code">The rule.</param>
/// <param name="Detail">What the rule asks.</param>
internal sealed record ValidationExample(string Collection, string Id, string Pointer, string Code, string Detail);
