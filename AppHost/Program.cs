using Platform;
using Platform.AppHost;
using Platform.AppHost.Commands;
using Platform.AppHost.Mongo;
using Platform.AppHost.Publishing;
using Platform.AppHost.Redis;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;

UserErrors.EndInASentence();
Surroundings.Prepare();
var builder = DistributedApplication.CreateBuilder(args);
var options = PlatformOptions.From(builder);
Console.WriteLine($"The engine is {options.EngineChoice}.");

// Data: a MongoDB replica set and a Redis cache, from the engine.
var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, options)
    .WithPrimaryCommands();
var database = mongo.AddReplicaSetDatabase(ResourceNames.Database)
    .WithStackEntry("mongo");
var cache = builder.AddCache(ResourceNames.Cache, options)
    .WithStackEntry("redis", RedisUri.Of);

// Jobs: the migrator prepares the database; the seeder fills it, in development only.
var migrator = builder.AddJob<Projects.Migrator>(ResourceNames.Migrator)
    .WithReference(database)
    .WaitFor(database)
    .WithPublishArgs("up", "--wait");
database.WithMigrateCommand(migrator);

if (builder.ExecutionContext.IsRunMode && options.Seed)
{
    var seeder = builder.AddJob<Projects.Seeder>(ResourceNames.Seeder)
        .WithReference(database)
        .WaitForCompletion(migrator);
    var cleaner = builder.AddJob<Projects.Seeder>(ResourceNames.Cleaner)
        .WithArgs("clean")
        .WithReference(database)
        .WithParentRelationship(seeder)
        .WithExplicitStart();
    database.WithSeedCommands(seeder, cleaner);
}

// Services. All processes of the API sign page cursors with one key, also after a restart.
var cursorKey = builder.AddGeneratedSecret("cursor-key", length: 44);
builder.AddService<Projects.Api>(ResourceNames.Api)
    .WithReference(database)
    .WithCache(cache)
    .WithEnvironment(SettingNames.PagingCursorKey, cursorKey)
    .WaitForCompletion(migrator)
    .WaitFor(cache)
    .WithHttpEndpoint(port: options.ApiPort)
    .WithExternalHttpEndpoints()
    .WithProbes()
    .WithUrlForEndpoint("http", _ => new() { Url = "/openapi/v1.json", DisplayText = "OpenAPI" })
    .WithStackEntry("api", "http");

builder.PublishComposeFile();
builder.NeedNoCertificate();
builder.ReportFailures();
builder.RecordStack(options);
builder.RestartDashboard();
builder.StopInOrder();

await builder.RunAsync();
