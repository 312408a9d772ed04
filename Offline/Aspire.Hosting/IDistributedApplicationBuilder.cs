using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>What a graph is built with.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>Settings from appsettings, user secrets, the environment and the command line; the last wins.</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>The app host's project directory.</summary>
    string AppHostDirectory { get; }

    /// <summary>The app host's assembly.</summary>
    Assembly? AppHostAssembly { get; }

    /// <summary>The environment, such as Development.</summary>
    IHostEnvironment Environment { get; }

    /// <summary>The services of the app host.</summary>
    IServiceCollection Services { get; }

    /// <summary>Events of the graph.</summary>
    IDistributedApplicationEventing Eventing { get; }

    /// <summary>The store of generated secrets.</summary>
    IUserSecretsManager UserSecretsManager { get; }

    /// <summary>What the app host does with the graph.</summary>
    DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>The resources added so far.</summary>
    IResourceCollection Resources { get; }

    /// <summary>Adds a resource to the graph.</summary>
    /// <exception cref="DistributedApplicationException">The name is taken.</exception>
    IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource;

    /// <summary>Makes a builder for a resource without adding it.</summary>
    IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource;

    /// <summary>Finishes the graph.</summary>
    DistributedApplication Build();
}
