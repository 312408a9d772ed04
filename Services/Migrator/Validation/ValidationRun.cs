using Platform.Data.Catalogue;

namespace Platform.Migrator.Validation;

/// <summary>Validates collections one after the other.</summary>
/// <param name="scan">Reads them.</param>
/// <param name="file">Takes every violation; null for nobody.</param>
/// <param name="path">The file's name, for the result.</param>
/// <param name="examplesPerCollection">How many violations of a collection the result shows.</param>
internal sealed class ValidationRun(CollectionScan scan, FixReport? file, string? path, int examplesPerCollection)
{
    public async Task<ValidationReport> RunAsync(
        IReadOnlyList<CollectionDefinition> collections, IScanProgress progress, CancellationToken cancellationToken)
    {
        var results = new List<ScanResult>();
        var examples = new List<ValidationExample>();
        foreach (var collection in collections)
        {
            var shown = 0;
            progress.Begin(collection.Name, await scan.EstimateAsync(collection, cancellationToken));
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
                progress.Advance,
                cancellationToken);
            progress.End(result);
            results.Add(result);
        }

        return new ValidationReport(results.TrueForAll(result => result.Violating == 0), results, examples, path);
    }
}
