#include <cstdio>
#include <algorithm>
#include "unet/serve/command.hpp"
#include "kernels/base/error.hpp"
int main(int argc,char**argv){ using namespace plume::serve; CLI::App app{"x","plume-infer"}; app.require_subcommand(1); std::function<int()> a; auto call=read_call({argv,size_t(argc)}); add_serve_command(app,a,call.as_container); std::reverse(call.arguments.begin(),call.arguments.end()); try { app.parse(call.arguments);} catch(const CLI::ParseError&e){ if(e.get_exit_code()==0) return app.exit(e); fprintf(stderr,"plume-infer: %s (--help tells more)\n",e.what()); return 2; } try { return a(); } catch(const plume::Error&e){ fprintf(stderr,"plume-infer: %s\n",e.what()); return e.exit_code(); } }
