using Platform.MigrationWorker;

// Usage: Platform.MigrationWorker race | Platform.MigrationWorker KIND DATABASE COLLECTION; the server in WORKER_URI.
var uri = Environment.GetEnvironmentVariable("WORKER_URI");
if (string.IsNullOrEmpty(uri))
{
    Console.Error.WriteLine("WORKER_URI must have the connection string.");
    return 64;
}

switch (args)
{
    case ["race"]:
        await RaceWorker.RunAsync(uri);
        return 0;
    case [var kind, var database, var collection] when TransformWorker.Kinds.ContainsKey(kind):
        await TransformWorker.RunAsync(kind, uri, database, collection);
        return 0;
    default:
        Console.Error.WriteLine("The first argument must be race, split, rename, set or backfill.");
        return 64;
}
